import * as vscode from 'vscode';
import { ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { whyNoAdapter } from '../adapterProbe';
import { type Fault, FaultError } from '../faults/fault';
import type { Log } from '../log';
import { BackendProcess, type End } from './process';
import type { Requests } from './protocol';
import { Restarts } from './restarts';

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
    private running: Promise<BackendProcess> | undefined;
    private readonly restarts = new Restarts();

    /**
     * @param program which envoydbg to start, asked anew at each start
     * @param greet sends the first request
     */
    constructor(
        private readonly program: () => Program,
        private readonly greet: (connection: MessageConnection) => Promise<void>,
        private readonly log: Log,
    ) {}

    dispose(): void {
        const { running } = this;
        this.running = undefined; // so that its end is no death
        void running?.then((process) => { process.stop(); }, () => undefined);
    }

    /** Starts it, if it does not run. */
    async start(): Promise<void> {
        await this.process();
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
        progress: (message: string) => void = () => undefined,
    ): Promise<Requests[M]['result']> {
        const process = await this.process();
        try {
            return await process.request<Requests[M]['result']>(method, params, token, progress);
        } catch (error) {
            throw await understood(error, process);
        }
    }

    private process(): Promise<BackendProcess> {
        this.running ??= this.begin();
        return this.running;
    }

    private async begin(): Promise<BackendProcess> {
        const { command, cwd } = this.program();
        try {
            const why = await whyNoAdapter(command);
            if (why !== undefined) {
                throw new FaultError({ what: `envoydbg cannot be started: ${command} ${why}`, setting: 'envoy.adapterPath' });
            }
            const said = (line: string): void => { this.log.warn(`envoydbg serve: ${line}`); };
            const process = await BackendProcess.start({ command, cwd, said }, this.greet);
            this.log.info(`The backend ${command} runs.`);
            void process.ended.then((end) => { this.ended(process, end); });
            return process;
        } catch (error) {
            this.running = undefined;
            if (error instanceof FaultError) {
                throw error;
            }
            throw new FaultError({ ...(faultOf(error) ?? { what: `The backend ${command} could not be started: ${(error as Error).message}.` }), setting: 'envoy.adapterPath' });
        }
    }

    private ended(process: BackendProcess, end: End): void {
        void this.running?.then((running) => {
            if (running !== process) {
                return; // it was to end
            }
            this.running = undefined;
            if (this.restarts.allows(Date.now())) {
                void this.tell(`The backend of Envoy: Debug Startup has ended (${end}), and was started again. Debug sessions of this window have ended with it.`);
                this.process().catch((error: unknown) => { this.log.error((error as Error).message); });
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
            return new FaultError(faultOf(error) ?? { what: error.message });
    }
}

/** The error of the catalogue that the backend has answered with, if it is one. */
function faultOf(error: unknown): Fault | undefined {
    return error instanceof ResponseError ? (error.data as Fault | undefined) : undefined;
}

/** The code that the Language Server Protocol has for a request that was cancelled. */
const requestCancelled = -32800;
