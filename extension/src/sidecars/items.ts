/** Sidecars as the items of a list. Nothing here depends on VS Code. */

import type { Sidecar } from '../backend/protocol';

export interface SidecarItem {
    readonly label: string;
    readonly description: string;
    readonly detail: string;
    readonly sidecar: Sidecar;
}

/** Returns an item for each sidecar: those that wait for a session first, since they can be debugged as they are. */
export function items(sidecars: readonly Sidecar[]): SidecarItem[] {
    const rank = ({ state }: Sidecar): number => (state === 'held' ? 0 : 1);
    return [...sidecars]
        .sort((a, b) => rank(a) - rank(b) || a.namespace.localeCompare(b.namespace) || a.target.localeCompare(b.target) || a.pod.localeCompare(b.pod))
        .map((sidecar) => ({
            label: sidecar.target,
            description: `${sidecar.namespace} · ${sidecar.state}${sidecar.who === undefined ? '' : `, by ${sidecar.who}`}`,
            detail: `${sidecar.pod} / ${sidecar.container}`,
            sidecar,
        }));
}
