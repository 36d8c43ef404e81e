import * as vscode from 'vscode';

/** The command "Envoy: Start Agent", and the context that enables it. */
const command = 'envoy.startAgent';
const context = 'envoy.agentAwaited';

/** The event that tells of the startup's phases (adapter/startup/phases.go). */
interface PhaseEvent {
    readonly type: 'event';
    readonly event: 'envoyPhase';
    readonly body: { readonly phase: string; readonly state: string };
}

/**
 * Starts the agent of a session with `"agent": { "start": "manual" }`. It watches the phases of each session; while one waits
 * for the user, the command is enabled and the status bar shows it.
 */
export class AgentStarter implements vscode.DebugAdapterTrackerFactory {
    /** The sessions that wait, the longest first. */
    private readonly waiting: vscode.DebugSession[] = [];
    private readonly item = vscode.window.createStatusBarItem(command, vscode.StatusBarAlignment.Left);

    constructor() {
        this.item.name = 'Envoy: Start Agent';
        this.item.text = '$(debug-start) armed, waiting for Envoy: Start Agent';
        this.item.command = command;
        this.item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    }

    /** Returns what ends with the extension. */
    register(): { dispose(): unknown }[] {
        return [
            this.item,
            vscode.commands.registerCommand(command, () => this.start()),
            vscode.debug.registerDebugAdapterTrackerFactory('envoy', this),
        ];
    }

    createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
        const over = (): void => {
            this.set(session, false);
        };
        return {
            onDidSendMessage: (message: unknown) => {
                if (isPhaseEvent(message)) {
                    this.set(session, message.body.state === 'waiting');
                }
            },
            onWillStopSession: over,
            onExit: over,
        };
    }

    private async start(): Promise<void> {
        const active = vscode.debug.activeDebugSession;
        const session = this.waiting.find(({ id }) => id === active?.id) ?? this.waiting[0];
        if (session === undefined) {
            void vscode.window.showErrorMessage('No debug session waits for the start of its agent. A session does that with "agent": { "start": "manual" }.');
            return;
        }
        this.set(session, false); // a second click comes too late
        try {
            await session.customRequest('startAgent');
        } catch (error) {
            const { message } = error as Error;
            // Any other error ends the startup, and VS Code shows it.
            if (message.includes('[ED1311]')) {
                void vscode.window.showErrorMessage(message);
            }
        }
    }

    private set(session: vscode.DebugSession, waits: boolean): void {
        const index = this.waiting.findIndex(({ id }) => id === session.id);
        if (waits === index >= 0) {
            return;
        }
        if (waits) {
            this.waiting.push(session);
        } else {
            this.waiting.splice(index, 1);
        }
        const [first] = this.waiting;
        void vscode.commands.executeCommand('setContext', context, first !== undefined);
        if (first === undefined) {
            this.item.hide();
            return;
        }
        this.item.tooltip = `Start the agent of "${first.name}"`;
        this.item.show();
    }
}

function isPhaseEvent(message: unknown): message is PhaseEvent {
    const { type, event } = message as Partial<PhaseEvent>;
    return type === 'event' && event === 'envoyPhase';
}
