import * as vscode from 'vscode';
import type { Sessions } from './sessions';

/** Tells VS Code which commands can work now; package.json enables them by these contexts. */
export function keepContexts(sessions: Sessions): vscode.Disposable {
    return sessions.onDidChange(() => {
        const all = sessions.all();
        set('envoy.agentAwaited', all.some(({ state }) => state.kind === 'armed'));
        set('envoy.agentRuns', all.some(({ agent }) => agent));
    });
}

/** Sets a context for the `enablement` and `when` of package.json. */
export function set(context: string, value: boolean): void {
    void vscode.commands.executeCommand('setContext', context, value);
}
