import * as vscode from 'vscode';
import type { Backend } from '../backend/backend';
import type { Cluster } from '../backend/protocol';
import { attributesOf } from './configuration';
import { pickSidecar } from './pick';

/**
 * The variable ${command:envoy.pickSidecar}. VS Code puts the target in its place, and nothing else; so the namespace and the
 * context of what was picked are kept here until the configuration with that target starts.
 */
export class PickedSidecar {
    private attributes: Readonly<Record<string, unknown>> | undefined;

    constructor(private readonly backend: Backend) {}

    /** @param configuration the one that has the variable */
    async pick(configuration: Cluster = {}): Promise<string | undefined> {
        const { namespace, context, kubeconfig, kubectlFlags } = configuration;
        const choice = await pickSidecar(this.backend, {
            ...(namespace !== undefined && { namespace }),
            ...(context !== undefined && { context }),
            ...(kubeconfig !== undefined && { kubeconfig }),
            ...(kubectlFlags !== undefined && { kubectlFlags }),
        });
        this.attributes = choice && attributesOf(choice.cluster, choice.sidecar);
        return choice?.sidecar.target;
    }

    /** Returns a configuration with what leads to the sidecar that was picked for it. */
    complete(configuration: vscode.DebugConfiguration): vscode.DebugConfiguration {
        const { attributes } = this;
        this.attributes = undefined;
        if (attributes === undefined || attributes['target'] !== configuration['target']) {
            return configuration;
        }
        return { ...Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)), ...configuration };
    }
}
