import * as vscode from 'vscode';
import type { Following, Sessions } from './sessions';

/** Shows in the status bar what the session does. One that waits for its agent goes before the others, and is unmistakable. */
export class StatusBar implements vscode.Disposable {
    private readonly item = vscode.window.createStatusBarItem('envoy.state', vscode.StatusBarAlignment.Left, 10);
    private readonly following: vscode.Disposable;

    constructor(private readonly sessions: Sessions) {
        this.item.name = 'Envoy: State of the Debug Session';
        this.following = sessions.onDidChange(() => {
            this.show();
        });
    }

    dispose(): void {
        this.following.dispose();
        this.item.dispose();
    }

    private show(): void {
        const all = this.sessions.all();
        const first = all.find(({ state }) => state.kind === 'armed') ?? all[0];
        if (first === undefined) {
            this.item.hide();
            return;
        }
        Object.assign(this.item, appearance(first));
        this.item.show();
    }
}

type Appearance = Pick<vscode.StatusBarItem, 'text' | 'tooltip' | 'command' | 'backgroundColor'>;

function appearance({ session: { name }, state }: Following): Appearance {
    const plain = { command: 'workbench.debug.action.toggleRepl', backgroundColor: undefined };
    switch (state.kind) {
        case 'armed':
            return {
                text: '$(debug-start) armed, waiting for Envoy: Start Agent',
                tooltip: `Start the agent of "${name}"`,
                command: 'envoy.startAgent',
                backgroundColor: new vscode.ThemeColor('statusBarItem.warningBackground'),
            };
        case 'starting':
            return { ...plain, text: `$(loading~spin) Envoy: ${state.what || 'starting'}`, tooltip: `"${name}" starts` };
        case 'running':
            return { ...plain, text: '$(debug-continue) Envoy: running', tooltip: `"${name}" runs` };
        case 'stopped':
            return { ...plain, text: `$(debug-pause) Envoy: ${state.reason.charAt(0).toLowerCase()}${state.reason.slice(1)}`, tooltip: `"${name}" is stopped` };
    }
}
