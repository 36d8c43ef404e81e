/** Lets the user choose a sidecar: where, then which. */

import * as vscode from 'vscode';
import type { Backend } from '../backend/backend';
import type { Cluster, Sidecar } from '../backend/protocol';
import { FaultError } from '../faults/fault';
import { items } from './items';

/** A sidecar, and how its cluster is reached. */
export interface Choice {
    readonly cluster: Cluster;
    readonly sidecar: Sidecar;
}

/**
 * Undefined if the user gives up.
 *
 * @param given what is decided already: only what is left is asked
 * @throws FaultError if there is nothing to choose from
 */
export async function pickSidecar(backend: Backend, given: Cluster = {}): Promise<Choice | undefined> {
    const cluster = await pickCluster(backend, given);
    if (cluster === undefined) {
        return undefined;
    }
    const picked = await choose({ title: 'Sidecar to Debug', placeHolder: `Workload, pod or namespace${cluster.context === undefined ? '' : ` in ${cluster.context}`}`, matchOnDescription: true, matchOnDetail: true }, async (token) => {
        const { sidecars } = await backend.request('sidecars', { ...cluster, allNamespaces: cluster.namespace === undefined }, token);
        if (sidecars.length === 0) {
            throw new FaultError({
                what: `There is no sidecar in ${cluster.namespace === undefined ? 'the cluster' : `the namespace ${cluster.namespace}`}${cluster.context === undefined ? '' : ` (${cluster.context})`}.`,
                do: 'A sidecar is a container with pilot-agent and Envoy; another Envoy can be named by hand, with "target" and "container".',
            });
        }
        return items(sidecars);
    });
    return picked && { cluster, sidecar: picked.sidecar };
}

/** Lets the user choose a context of the kubeconfig, if there are several and none is decided. Undefined if the user gives up. */
export async function pickCluster(backend: Backend, given: Cluster = {}): Promise<Cluster | undefined> {
    if (given.context !== undefined) {
        return given;
    }
    const { contexts, current } = await backend.request('contexts', given);
    if (contexts.length === 0) {
        throw new FaultError({ what: 'The kubeconfig names no cluster.', do: 'Set KUBECONFIG, or the attribute "kubeconfig", to the file that kubectl uses.', attribute: 'kubeconfig' });
    }
    const [only] = contexts;
    if (contexts.length === 1 && only !== undefined) {
        return { ...given, context: only.name };
    }
    const sorted = [...contexts].sort((a, b) => Number(b.name === current) - Number(a.name === current) || a.name.localeCompare(b.name));
    const picked = await choose({ title: 'Cluster', placeHolder: 'Context of the kubeconfig' }, () =>
        Promise.resolve(sorted.map(({ name, cluster }) => ({ label: name, ...(name === current && { description: 'current' }), detail: cluster }))),
    );
    return picked && { ...given, context: picked.label };
}

/** Shows a list at once, and its items when they are there. Giving up cancels the request for them. */
async function choose<T extends vscode.QuickPickItem>(options: vscode.QuickPickOptions, load: (token: vscode.CancellationToken) => Promise<T[]>): Promise<T | undefined> {
    const source = new vscode.CancellationTokenSource();
    try {
        return await vscode.window.showQuickPick(load(source.token), options);
    } finally {
        source.cancel();
        source.dispose();
    }
}
