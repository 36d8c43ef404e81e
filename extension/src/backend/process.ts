/** The process `envoydbg serve`, and the JSON-RPC connection to it. Nothing here depends on VS Code. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type CancellationToken, createMessageConnection, type Message, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { ProgressNote } from './protocol';

/** How the backend is started. */
export interface Start {
    readonly command: string;
    readonly cwd: string | undefined;
    /** Gets each line that it writes to its stderr, where it says what no request can be told. */
    readonly said: (line: string) => void;
}

/** How a process has ended, in words for the end of a sentence. */
export type End = string;

/** How long it may take to answer its first request. It takes milliseconds; a cold disk, more. */
const startSeconds = 20;

export class BackendProcess {
    /** Is settled when the process has ended, for whatever reason. */
    readonly ended: Promise<End>;

    private constructor(
        readonly connection: MessageConnection,
        private readonly writer: Writer,
        ended: Promise<End>,
    ) {
        this.ended = ended;
    }

    /**
     * Starts the process, and asks it for its first answer.
     *
     * @param first sends the first request
     * @throws Error with the reason if the process cannot be started, or ends before it has answered, or is too late; or what
     *     `first` has thrown
     */
    static async start({ command, cwd, said }: Start, first: (connection: MessageConnection) => Promise<void>): Promise<BackendProcess> {
        const child = spawn(command, ['serve'], { ...(cwd !== undefined && { cwd }), stdio: 'pipe' });
        const lines: string[] = [];
        createInterface(child.stderr).on('line', (line) => {
            lines.push(line);
            said(line);
        });
        const ended = new Promise<End>((resolve) => {
            child.on('error', ({ message }) => { resolve(message); });
            child.on('close', (code, signal) => { resolve(`${signal ?? `exit code ${String(code)}`}${lines.length === 0 ? '' : `: ${lines.slice(-5).join('\n')}`}`); });
        });
        child.stdin.on('error', () => undefined); // it has ended, which is told by `ended`
        const writer = new Writer(child.stdin);
        const connection = createMessageConnection(new StreamMessageReader(child.stdout), writer);
        connection.onError(([error]) => { said(`The connection to the backend: ${error.message}`); });
        void ended.then(() => { connection.dispose(); }); // which refuses the requests that wait
        connection.onNotification('progress', ({ request, message }: ProgressNote) => writer.following.get(request)?.(message));
        connection.listen();
        const started = new BackendProcess(connection, writer, ended);

        let late: NodeJS.Timeout | undefined;
        try {
            await Promise.race([
                first(connection),
                ended.then((end) => { throw new Error(`it has ended (${end})`); }),
                new Promise<never>((_, reject) => {
                    late = setTimeout(() => { reject(new Error(`it did not answer within ${startSeconds} s`)); }, startSeconds * 1000);
                }),
            ]);
            return started;
        } catch (error) {
            child.kill('SIGKILL');
            throw error;
        } finally {
            clearTimeout(late);
        }
    }

    /** Sends a request. What it takes long for is told to `progress`. */
    async request<T>(method: string, params: object, token: CancellationToken, progress: (message: string) => void): Promise<T> {
        const own = { ...params };
        this.writer.follow(own, progress);
        try {
            return await this.connection.sendRequest<T>(method, own, token);
        } finally {
            this.writer.forget(own);
        }
    }

    /** Ends the process in its own way, with all that it has started: the end of its input is its end. */
    stop(): void {
        this.connection.end();
    }
}

/** Knows the ids of requests, which the backend names when it tells how far they are, and which the connection tells nobody. */
class Writer extends StreamMessageWriter {
    /** Who is told how far a request is, by its id. */
    readonly following = new Map<string, (message: string) => void>();
    private readonly awaited = new Map<unknown, (message: string) => void>();
    private readonly ids = new Map<unknown, string>();

    /** @param params of a request that is not yet sent */
    follow(params: object, progress: (message: string) => void): void {
        this.awaited.set(params, progress);
    }

    forget(params: object): void {
        this.awaited.delete(params);
        this.following.delete(this.ids.get(params) ?? '');
        this.ids.delete(params);
    }

    override write(message: Message): Promise<void> {
        const { id, params } = message as { id?: number | string; params?: unknown };
        const progress = this.awaited.get(params);
        if (progress !== undefined) {
            this.ids.set(params, String(id));
            this.following.set(String(id), progress);
        }
        return super.write(message);
    }
}
