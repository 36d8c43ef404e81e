import * as vscode from 'vscode';
import { after, begun, type Message, type Phase, type State } from './state';

/** What hears each message of each session's adapter. */
export type Listener = (session: vscode.DebugSession, message: Message) => void;

/** A debug session of this window, and what it is doing. */
export interface Following {
    readonly session: vscode.DebugSession;
    readonly state: State;
    /** The agent runs, or is about to: it can be stopped. */
    readonly agent: boolean;
}

/** Follows the debug sessions of this window by what their adapters say. It owns their states. */
export class Sessions implements vscode.DebugAdapterTrackerFactory, vscode.Disposable {
    /** Those that have begun and not ended, the oldest first. */
    private readonly running = new Map<string, Following>();
    private readonly changed = new vscode.EventEmitter<undefined>();
    private readonly registered: { dispose(): unknown }[];

    /** A session has begun or ended, or does something else now, or another one is shown. */
    readonly onDidChange = this.changed.event;

    /** @param listener hears each message before the state follows it */
    constructor(private readonly listener: Listener) {
        this.registered = [
            this.changed,
            vscode.debug.registerDebugAdapterTrackerFactory('envoy', this),
            vscode.debug.onDidChangeActiveDebugSession(() => {
                this.changed.fire(undefined);
            }),
        ];
    }

    dispose(): void {
        for (const each of this.registered) {
            each.dispose();
        }
    }

    createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
        this.set({ session, state: begun, agent: false });
        const over = (): void => {
            if (this.running.delete(session.id)) {
                this.changed.fire(undefined);
            }
        };
        return {
            onDidSendMessage: (message: Message) => {
                this.listener(session, message);
                const before = this.running.get(session.id);
                if (before !== undefined) {
                    this.set({ session, state: after(before.state, message), agent: before.agent || startsAgent(message) });
                }
            },
            onWillStopSession: over,
            onExit: over,
        };
    }

    /** All of them, the one that VS Code shows first, then the oldest. */
    all(): Following[] {
        const shown = vscode.debug.activeDebugSession?.id;
        const all = [...this.running.values()];
        return [...all.filter(({ session }) => session.id === shown), ...all.filter(({ session }) => session.id !== shown)];
    }

    /** The agent of this session has been started; a second click comes too late. */
    agentAsked(session: vscode.DebugSession): void {
        this.set({ session, state: { kind: 'starting', what: 'starting the agent' }, agent: false });
    }

    private set(now: Following): void {
        const before = this.running.get(now.session.id);
        if (before?.state !== now.state || before.agent !== now.agent) {
            this.running.set(now.session.id, now);
            this.changed.fire(undefined);
        }
    }
}

/** The agent is started in this phase, and runs when it has ended. */
function startsAgent({ event, body }: Message): boolean {
    if (event !== 'envoyPhase') {
        return false;
    }
    const { phase, state } = body as Phase;
    return phase === 'agent started' && state === 'end';
}
