import type * as vscode from 'vscode';
import type { Backend } from '../backend/backend';
import type { Configuration } from '../configurations';
import { configurationFor } from './configuration';

/** How many sidecars are offered without a search; the others are found by Envoy: Select Sidecar. */
const most = 20;

/** Returns a configuration for each workload with a sidecar in the current context of the kubeconfig. */
export async function foundSidecars(backend: Backend, token: vscode.CancellationToken): Promise<Configuration[]> {
    const { sidecars } = await backend.request('sidecars', { allNamespaces: true }, token);
    const configurations = sidecars.map((sidecar) => configurationFor({}, sidecar, '${workspaceFolder}/bazel-bin/envoy'));
    // A workload has a sidecar in each of its pods.
    return [...new Map(configurations.map((configuration) => [configuration.name, configuration])).values()].slice(0, most);
}
