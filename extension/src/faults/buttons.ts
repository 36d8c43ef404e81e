/** Which buttons an error has. Nothing here depends on VS Code. */

import type { Fault } from './fault';

export type Button = 'Find LLDB' | 'Open launch.json' | 'Open Setting' | 'Copy Command' | 'Explain' | 'Show Log';

/**
 * Returns the buttons of an error, what mends it first.
 *
 * @param written whether the configuration is written in a file, so that there is a place to open
 */
export function buttons(fault: Fault, written: boolean): Button[] {
    const all: [Button, boolean][] = [
        ['Find LLDB', fault.kind === 'installLldb'],
        ['Copy Command', fault.command !== undefined],
        ['Open launch.json', fault.attribute !== undefined && written],
        ['Open Setting', fault.setting !== undefined],
        ['Explain', fault.page !== undefined],
        ['Show Log', true],
    ];
    return all.filter(([, has]) => has).map(([button]) => button);
}
