/** The timeline of a startup, as the adapter tells it. Nothing here depends on VS Code. */

import type { Message } from '../sessions/state';

/** A phase of the startup. Times are milliseconds since the session began, with fractions. */
export interface PhaseBar {
    readonly name: string;
    readonly start: number;
    readonly end: number;
    /** What proves that it has succeeded, or why not. */
    readonly detail: string;
    readonly failed: boolean;
    /** It has not ended; `end` is when the timeline was made. */
    readonly open: boolean;
}

/** What happened at one time. */
export interface Moment {
    readonly name: string;
    readonly at: number;
    readonly detail: string;
}

export interface Timeline {
    readonly phases: readonly PhaseBar[];
    readonly moments: readonly Moment[];
    /** The same as trace events, for Perfetto. */
    readonly traceEvents: readonly unknown[];
}

/** Whether a message of the adapter brings a timeline. */
export function isTimeline(message: Message): message is Message & { readonly body: Timeline } {
    return message.type === 'event' && message.event === 'envoyTimeline';
}
