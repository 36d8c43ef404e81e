/** The configuration that debugs a sidecar. Nothing here depends on VS Code. */

import type { Cluster } from '../backend/protocol';
import type { Configuration } from '../configurations';

/** What of a sidecar a configuration has to name. */
export interface Target {
    readonly target: string;
    readonly namespace: string;
    readonly container?: string;
}

/** The container that is looked for where none is named. */
const usual = 'istio-proxy';

/** The attributes that lead to a sidecar; undefined for those that a configuration should not have. */
export function attributesOf(cluster: Cluster, { target, namespace, container = usual }: Target): Readonly<Record<string, unknown>> {
    return { target, namespace, context: cluster.context, kubeconfig: cluster.kubeconfig, container: container === usual ? undefined : container };
}

/**
 * Returns the configuration.
 *
 * @param program the local Envoy with symbols, or the variable that asks for it
 */
export function configurationFor(cluster: Cluster, target: Target, program: string): Configuration {
    const attributes = Object.entries(attributesOf(cluster, target)).filter(([, value]) => value !== undefined);
    return { name: `Envoy: ${target.target} (${target.namespace})`, type: 'envoy', request: 'attach', ...Object.fromEntries(attributes), program };
}
