/**
 * Which command line starts the debug adapter: a pure function of the launch configuration and the settings.
 * It does not know VS Code, so that it is tested without one.
 */

import * as path from 'node:path';

/** The settings under `envoy.` that matter here, and the workspace. An empty string means that the user has not set it. */
export interface Settings {
    /** Path of envoydbg. */
    readonly adapterPath: string;
    /** Path of lldb-dap, for configurations that name none. */
    readonly lldbDap: string;
    /** Path of the file for the adapter's log. */
    readonly log: string;
    /** Path of the workspace folder: where the sources are, unless the adapter finds a Bazel work tree. Empty without one. */
    readonly workspaceFolder: string;
}

/** A configuration of the user's launch.json: its values can be of any type. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface AdapterCommand {
    readonly command: string;
    readonly args: readonly string[];
}

/**
 * Returns the command line of the adapter, which speaks DAP on its stdin and stdout.
 *
 * @param extensionPath the folder of the extension, which holds bin/envoydbg
 */
export function adapterCommand(configuration: Configuration, settings: Settings, extensionPath: string): AdapterCommand {
    const args = ['dap'];
    const lldbDap = nonEmptyString(configuration['lldbDap']) ?? nonEmptyString(settings.lldbDap);
    if (lldbDap !== undefined) {
        args.push('--lldb-dap', lldbDap);
    }
    if (settings.log !== '') {
        args.push('--log', settings.log);
    }
    if (settings.workspaceFolder !== '') {
        args.push('--work-tree', settings.workspaceFolder);
    }
    return { command: nonEmptyString(settings.adapterPath) ?? path.join(extensionPath, 'bin', 'envoydbg'), args };
}

/** Anything else than a string is left for the adapter to complain about: it validates all attributes. */
function nonEmptyString(value: unknown): string | undefined {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
