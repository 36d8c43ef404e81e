/** The errors of envoydbg as the adapter and the backend send them. Nothing here depends on VS Code. */

/** One error of the catalogue (docs/errors.md), apart from its text. */
export interface Fault {
    /** Such as ED1203. */
    readonly id: string;
    /** What happened, in one sentence. */
    readonly what: string;
    /** What was found, a line each. */
    readonly evidence: readonly string[];
    /** The one thing to do. */
    readonly do: string;
    /** The launch attribute that it is about, such as "program" or "agent.command". */
    readonly attribute?: string;
    /** The setting that it is about, such as "envoy.lldbDap". */
    readonly setting?: string;
    /** A command to paste into a terminal. */
    readonly command?: string;
    /** What is missing and can be installed. */
    readonly kind?: string;
}

/** The whole text, as a terminal shows it. */
export function text({ id, what, evidence, do: remedy }: Fault): string {
    return `${[what, ...evidence.map((line) => `  ${line}`), ...(remedy === '' ? [] : [remedy])].join('\n')} [${id}]`;
}

/** What stands below the sentence in a dialog. */
export function detail({ id, evidence, do: remedy }: Fault): string {
    const parts = [evidence.join('\n'), `${remedy} [${id}]`.trim()];
    return parts.filter((part) => part !== '').join('\n\n');
}
