import * as vscode from 'vscode';
import type { Sessions } from './sessions';
import type { Message, Phase } from './state';

/** The notification of one startup. */
interface Shown {
    readonly report: (message: string) => void;
    readonly end: () => void;
}

/**
 * Shows what a startup does in one notification, whose Cancel ends it. VS Code would show the adapter's progress by itself, but
 * not that of a session after one that ended before its launch was answered: VS Code 1.139 then listens to the earlier one on.
 */
export class StartupProgress implements vscode.Disposable {
    private readonly shown = new Map<string, Shown>();
    private following: vscode.Disposable | undefined;

    /** Ends each notification when its startup is over. */
    follow(sessions: Sessions): this {
        this.following = sessions.onDidChange(() => {
            const starting = new Set(sessions.all().filter(({ state: { kind } }) => kind === 'starting' || kind === 'armed').map(({ session }) => session.id));
            for (const [id, { end }] of this.shown) {
                if (!starting.has(id)) {
                    end();
                }
            }
        });
        return this;
    }

    dispose(): void {
        this.following?.dispose();
        for (const { end } of this.shown.values()) {
            end();
        }
    }

    /** Takes a message of a session's adapter. */
    hear(session: vscode.DebugSession, { event, body }: Message): void {
        if (event !== 'envoyPhase') {
            return;
        }
        const { message, cancel } = body as Phase;
        if (message === undefined) {
            return;
        }
        const shown = this.shown.get(session.id) ?? this.show(session, cancel);
        shown.report(message);
    }

    private show(session: vscode.DebugSession, cancel: string | undefined): Shown {
        let end = (): void => undefined;
        const over = new Promise<void>((resolve) => { end = resolve; });
        let latest = '';
        let report = (message: string): void => { latest = message; }; // until the notification is there
        void vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Envoy: Debug Startup', cancellable: true }, (progress, token) => {
            report = (message) => { progress.report({ message }); };
            report(latest);
            // A session that has ended meanwhile needs nothing.
            token.onCancellationRequested(() => { session.customRequest('cancel', { progressId: cancel }).then(undefined, () => undefined); });
            return over;
        });
        const shown = {
            report: (message: string): void => { report(message); },
            end: (): void => {
                this.shown.delete(session.id);
                end();
            },
        };
        this.shown.set(session.id, shown);
        return shown;
    }
}
