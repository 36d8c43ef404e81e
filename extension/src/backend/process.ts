/** The process `envoydbg serve`, and the JSON-RPC connection to it. Nothing here depends on VS Code. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

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
        ended: Promise<End>,
    ) {
        this.ended = ended;
    }

    /**
     * Starts the process and asks it for its first answer.
     *
     * @param first sends the first request, and returns what it has answered
     * @throws Error with the reason if the process cannot be started, or ends before it has answered, or is too late; or what
     *     `first` has thrown
     */
    static async start<T>({ command, cwd, said }: Start, first: (connection: MessageConnection) => Promise<T>): Promise<{ process: BackendProcess; answer: T }> {
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
        const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
        connection.onError(([error]) => { said(`The connection to the backend: ${error.message}`); });
        void ended.then(() => { connection.dispose(); }); // which refuses the requests that wait
        connection.listen();
        const started = new BackendProcess(connection, ended);

        let late: NodeJS.Timeout | undefined;
        try {
            const answer = await Promise.race([
                first(connection),
                ended.then((end) => { throw new Error(`it has ended (${end})`); }),
                new Promise<never>((_, reject) => {
                    late = setTimeout(() => { reject(new Error(`it did not answer within ${startSeconds} s`)); }, startSeconds * 1000);
                }),
            ]);
            return { process: started, answer };
        } catch (error) {
            child.kill('SIGKILL');
            throw error;
        } finally {
            clearTimeout(late);
        }
    }

    /** Ends the process in its own way, with all that it has started: the end of its input is its end. */
    stop(): void {
        this.connection.end();
    }
}
