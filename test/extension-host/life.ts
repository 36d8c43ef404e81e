import { EventEmitter, once } from 'node:events';
import * as vscode from 'vscode';

const seconds = 40;

/** A DAP event, or a response to a request. */
interface Message {
    readonly type: string;
    readonly event?: string;
    readonly body?: Readonly<Record<string, unknown>>;
}

/** What passes between VS Code and the debug adapters of all sessions, from now on. */
export class Traffic implements vscode.Disposable {
    readonly messages: Message[] = [];
    /** The sessions, the first first. */
    readonly sessions: vscode.DebugSession[] = [];
    private readonly emitter = new EventEmitter();
    private readonly registration = vscode.debug.registerDebugAdapterTrackerFactory('envoy', {
        createDebugAdapterTracker: (session) => {
            this.sessions.push(session);
            return {
                onDidSendMessage: (message: Message) => {
                    this.messages.push(message);
                    this.emitter.emit('message');
                },
            };
        },
    });

    dispose(): void {
        this.registration.dispose();
    }

    /** The events of this name, in their order. */
    events(name: string): Readonly<Record<string, unknown>>[] {
        return this.messages.filter(({ type, event }) => type === 'event' && event === name).map(({ body }) => body ?? {});
    }

    /** Waits until there are so many events of this name that match, counted from the beginning. */
    async event(name: string, count = 1, matches: (body: Readonly<Record<string, unknown>>) => boolean = () => true): Promise<Readonly<Record<string, unknown>>> {
        const signal = AbortSignal.timeout(seconds * 1000);
        for (;;) {
            const found = this.events(name).filter(matches)[count - 1];
            if (found !== undefined) {
                return found;
            }
            try {
                await once(this.emitter, 'message', { signal });
            } catch (error) {
                throw new Error(`no event ${name} within ${seconds} s; the adapter has sent:\n${this.messages.map((message) => JSON.stringify(message)).join('\n')}`, { cause: error });
            }
        }
    }
}

/** The next value of an event of VS Code's. */
export function next<T>(event: vscode.Event<T>, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
        const tooLong = setTimeout(() => {
            registration.dispose();
            reject(new Error(`${what} did not happen within ${seconds} s`));
        }, seconds * 1000);
        const registration = event((value) => {
            clearTimeout(tooLong);
            registration.dispose();
            resolve(value);
        });
    });
}
