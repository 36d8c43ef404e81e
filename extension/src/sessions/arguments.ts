/** What a debug session is started with. Nothing here depends on VS Code. */

import { withNumericPid } from '../configurations';
import { nonEmptyString } from '../strings';

/** What the adapter has to know besides the configuration. */
export interface Surroundings {
    /** The path of the workspace folder: where the sources are unless the adapter finds a work tree, and where relative paths begin. */
    readonly folder: string | undefined;
    /** The setting envoy.lldbDap, for a configuration that names none. */
    readonly lldbDap: unknown;
}

/** Returns the launch arguments: the configuration, and what VS Code's own first request cannot say. */
export function launchArguments<C extends Readonly<Record<string, unknown>>>(configuration: C, { folder, lldbDap }: Surroundings): C & { readonly __envoy: Record<string, string> } {
    const setting = nonEmptyString(lldbDap);
    return { ...withNumericPid(configuration), __envoy: { ...(folder !== undefined && { folder }), ...(setting !== undefined && { lldbDap: setting }) } };
}
