import * as vscode from 'vscode';
import { ErrorCodes, type MessageConnection, ProgressType, ResponseError } from 'vscode-jsonrpc/node';
import { whyNoAdapter } from '../adapterProbe';
import { type Fault, FaultError } from '../faults/fault';
import type { Log } from '../log';
import { BackendProcess, type End } from './process';
import type { Requests } from './protocol';
import { Restarts } from './restarts';

/** How far a request is. */
const note = new ProgressType<{ message: string }>();

/** A running backend and what it has said of itself. */
interface Running {
    readonly process: BackendProcess;
    /** The unix socket on which it serves DAP. */
    readonly socket: string;
}

/** Which envoydbg is started. */
export interface Program {
    readonly command: string;
    readonly cwd: string | undefined;
}

/**
 * The process `envoydbg serve` of this window. It is started when it is first needed, and when it has died, but not for ever.
 * It owns the process: what others have of it is answers.
 */
export class Backend implements vscode.Disposable {
    private running: Promise<Running> | undefined;
    private readonly restarts = new Restarts();
    private asked = 0;

    /**
     * @param program which envoydbg to start, asked anew at each start
     * @param greet sends the first request, and returns the socket for DAP
     */
    constructor(
        private readonly program: () => Program,
        private readonly greet: (connection: MessageConnection) => Promise<string>,
        private readonly log: Log,
    ) {}

    dispose(): void {
        const { running } = this;
        this.running = undefined; // so that its end is no death
        void running?.then(({ process }) => { process.stop(); }, () => undefined);
    }

    /** Where debug sessions connect. */
    async socket(): Promise<string> {
        return (await this.start()).socket;
    }

    /**
     * Sends a request.
     *
     * @param token cancels it; what it has begun is undone
     * @param progress is told how far it is
     * @throws FaultError that says why there is no answer; vscode.CancellationError
     */
    async request<M extends keyof Requests>(
        method: M,
        params: Requests[M]['params'],
        token = new vscode.CancellationTokenSource().token,
        progress?: (message: string) => void,
    ): Promise<Requests[M]['result']> {
        const { process } = await this.start();
        const progressToken = `${method} ${++this.asked}`;
        const following = progress && process.connection.onProgress(note, progressToken, ({ message }) => { progress(message); });
        try {
            return await process.connection.sendRequest<Requests[M]['result']>(method, { ...params, ...(progress && { progressToken }) }, token);
        } catch (error) {
            throw await understood(error, process);
        } finally {
            following?.dispose();
        }
    }

    private start(): Promise<Running> {
        this.running ??= this.begin();
        return this.running;
    }

    private async begin(): Promise<Running> {
        const { command, cwd } = this.program();
        try {
            const why = await whyNoAdapter(command);
            if (why !== undefined) {
                throw new FaultError({ what: `envoydbg cannot be started: ${command} ${why}`, setting: 'envoy.adapterPath' });
            }
            const said = (line: string): void => { this.log.warn(`envoydbg serve: ${line}`); };
            const { process, answer: socket } = await BackendProcess.start({ command, cwd, said }, this.greet);
            this.log.info(`The backend ${command} runs.`);
            const running = { process, socket };
            void process.ended.then((end) => { this.ended(process, end); });
            return running;
        } catch (error) {
            this.running = undefined;
            throw error instanceof FaultError ? error : new FaultError({ what: `The backend ${command} could not be started: ${(error as Error).message}`, setting: 'envoy.adapterPath' });
        }
    }

    private ended(process: BackendProcess, end: End): void {
        void this.running?.then((running) => {
            if (running.process !== process) {
                return; // it was to end
            }
            this.running = undefined;
            if (this.restarts.allows(Date.now())) {
                void this.tell(`The backend of Envoy: Debug Startup has ended (${end}), and was started again. Debug sessions of this window have ended with it.`);
                this.start().catch((error: unknown) => { this.log.error((error as Error).message); });
                return;
            }
            void this.tell(`The backend of Envoy: Debug Startup ends again and again (${end}). It is started when it is needed next.`);
            this.restarts.forget();
        });
    }

    private async tell(message: string): Promise<void> {
        this.log.error(message);
        if ((await vscode.window.showErrorMessage(message, 'Show Log')) !== undefined) {
            this.log.show();
        }
    }
}

/** The error of a request as one for the user. */
async function understood(error: unknown, process: BackendProcess): Promise<unknown> {
    if (!(error instanceof ResponseError)) {
        return error;
    }
    switch (error.code) {
        case ErrorCodes.PendingResponseRejected:
            return new FaultError({ what: `The backend has ended before it has answered (${await process.ended}).` });
        case requestCancelled:
            return new vscode.CancellationError();
        default:
            return new FaultError((error.data as Fault | undefined) ?? { what: error.message });
    }
}

/** The code that the Language Server Protocol has for a request that was cancelled. */
const requestCancelled = -32800;
