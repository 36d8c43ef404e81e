/** The errors of envoydbg as the user sees them. Nothing here depends on VS Code. */

/** One error: of the catalogue (docs/errors.md), or of the extension itself. */
export interface Fault {
    /** Such as ED1203. The extension's own have none. */
    readonly id?: string;
    /** What happened, in one sentence. */
    readonly what: string;
    /** What was found, a line each. */
    readonly evidence?: readonly string[];
    /** The one thing to do. */
    readonly do?: string;
    /** The launch attribute that it is about, such as "program" or "agent.command". */
    readonly attribute?: string;
    /** The setting that it is about, such as "envoy.lldbDap". */
    readonly setting?: string;
    /** A command to paste into a terminal. */
    readonly command?: string;
    /** The page and section that explain it, such as "docs/errors.md#ed1203". */
    readonly page?: string;
    /** "installLldb": LLDB is missing. "cancelled": the user has wanted it, so nothing is shown. */
    readonly kind?: string;
}

/** A Fault on its way to the user. */
export class FaultError extends Error {
    constructor(readonly fault: Fault) {
        super(text(fault));
    }
}

/** The whole text, as a terminal shows it. */
export function text(fault: Fault): string {
    const { what, evidence = [] } = fault;
    return [what, ...evidence.map((line) => `  ${line}`), remedy(fault)].filter((line) => line !== '').join('\n');
}

/** What stands below the sentence in a dialog. */
export function detail(fault: Fault): string {
    return [(fault.evidence ?? []).join('\n'), remedy(fault)].filter((part) => part !== '').join('\n\n');
}

/** The sentence and what to do, for a notification, which is one line. */
export function line(fault: Fault): string {
    return `${fault.what} ${remedy(fault)}`.trim();
}

function remedy({ id, do: what = '' }: Fault): string {
    return `${what}${id === undefined ? '' : ` [${id}]`}`.trim();
}
