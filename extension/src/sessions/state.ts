/** What a debug session is doing, as its messages tell. Nothing here depends on VS Code. */

export type State =
    /** The startup runs; what it does now, if that is known. */
    | { readonly kind: 'starting'; readonly what: string }
    /** The debug server waits, and the user is to start the agent. */
    | { readonly kind: 'armed' }
    | { readonly kind: 'running' }
    | { readonly kind: 'stopped'; readonly reason: string }; // such as "Paused at main"

export const begun: State = { kind: 'starting', what: '' };

/** The body of the event that tells of the startup's phases (adapter/startup/phases.go). */
export interface Phase {
    readonly phase: string;
    readonly state: 'begin' | 'end' | 'waiting' | 'progress';
    readonly detail?: string;
    /** What is done now, in words for people. */
    readonly message?: string;
    /** With which progressId the request "cancel" ends the startup. */
    readonly cancel?: string;
}

/** What the adapter sends to VS Code: a request, response or event. */
export interface Message {
    readonly type: string;
    readonly event?: string;
    readonly command?: string;
    readonly success?: boolean;
    readonly body?: unknown;
}

/** The last phase of a startup. Envoy runs when it has ended. */
const last = 'breakpoints';

/** The requests after which a program runs. */
const resuming = new Set(['continue', 'next', 'stepIn', 'stepOut']);

/** Returns what a session does after a message from its adapter. */
export function after(state: State, message: Message): State {
    const { type, event, command, success, body } = message;
    if (type === 'response') {
        return success === true && state.kind === 'stopped' && resuming.has(command ?? '') ? { kind: 'running' } : state;
    }
    switch (event) {
        case 'envoyPhase':
            return inPhase(state, body as Phase);
        case 'process': // comes at once in a session without phases
            return state === begun ? { kind: 'running' } : state;
        case 'continued':
            return { kind: 'running' };
        case 'stopped': {
            const { reason, description } = body as { reason: string; description?: string };
            return { kind: 'stopped', reason: description ?? `stopped: ${reason}` };
        }
        default:
            return state;
    }
}

function inPhase(state: State, { phase, state: step, message }: Phase): State {
    switch (step) {
        case 'waiting':
            return { kind: 'armed' };
        case 'end':
            return phase === last && state.kind === 'starting' ? { kind: 'running' } : state;
        default:
            return { kind: 'starting', what: message ?? phase };
    }
}
