/** The errors in what a debug adapter sends. Nothing here depends on VS Code. */

import type { Message } from '../sessions/state';
import type { Fault } from './fault';

interface ErrorBody {
    readonly error?: { readonly showUser?: boolean; readonly envoy?: Fault };
}

/** Returns the error for which a session could not begin, if the adapter leaves it to the extension to show it. */
export function refusal({ type, command, success, body }: Message): Fault | undefined {
    if (type !== 'response' || success !== false || (command !== 'launch' && command !== 'attach' && command !== 'initialize')) {
        return undefined;
    }
    const { error } = (body ?? {}) as ErrorBody;
    return error?.showUser === false && error.envoy?.kind !== 'cancelled' ? error.envoy : undefined;
}

/** A fault of a session that has begun: a warning, after which it goes on, or the error that has ended it. */
export interface Told extends Fault {
    readonly severity: 'warning' | 'error';
}

/** Returns what the adapter tells of a session that has begun. It has written it into the Debug Console already. */
export function told({ type, event, body }: Message): Told | undefined {
    return type === 'event' && event === 'envoyFault' ? (body as Told) : undefined;
}
