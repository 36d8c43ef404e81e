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
    return error?.showUser === false ? error.envoy : undefined;
}

/** Returns the warning after which a session goes on. */
export function warning({ type, event, body }: Message): Fault | undefined {
    return type === 'event' && event === 'envoyFault' ? (body as Fault) : undefined;
}
