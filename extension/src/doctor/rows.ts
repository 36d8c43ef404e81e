/** The findings of doctor as the rows of a list. Nothing here depends on VS Code. */

import type { Finding } from '../backend/protocol';

/** What a button of a row does. */
export type Fix = { readonly kind: 'command'; readonly command: string } | { readonly kind: 'attribute'; readonly attribute: string };

export interface FindingRow {
    readonly label: string;
    readonly description: string;
    readonly detail?: string;
    readonly fixes: readonly Fix[];
}

/** How bad a finding is, and how it looks. */
const states = ['failed', 'warning', 'unknown', 'ok'];
const icons: Readonly<Record<string, string>> = { failed: '$(error)', warning: '$(warning)', unknown: '$(question)', ok: '$(pass)' };

/** Returns a row for each finding, the worst first, else in the order of the checks. */
export function rows(findings: readonly Finding[]): FindingRow[] {
    return [...findings]
        .sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state))
        .map(({ check, state, what, why, fix, command, attribute }) => {
            const detail = [why, fix].filter((part) => part !== undefined && part !== '').join(' — ');
            return {
                label: `${icons[state] ?? icons['unknown'] ?? ''} ${check}`,
                description: what,
                ...(detail !== '' && { detail }),
                fixes: [
                    ...(command === undefined ? [] : [{ kind: 'command', command } as const]),
                    ...(attribute === undefined ? [] : [{ kind: 'attribute', attribute } as const]),
                ],
            };
        });
}
