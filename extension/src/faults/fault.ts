/** The errors of envoydbg as the user sees them. Nothing here depends on VS Code. */

import type { Form } from '../backend/protocol';

/** One error: of the catalogue (docs/errors.md), or of the extension itself, which has no number and no page. */
export type Fault = Partial<Form> & Pick<Form, 'what'>;

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
