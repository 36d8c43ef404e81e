/**
 * The command line that starts the debug adapter, as a pure function of the launch configuration and the settings.
 * Nothing here depends on VS Code.
 */

import * as path from 'node:path';

/** The settings under `envoy.` that the command line depends on, and the workspace. Whatever is no string, or empty, is not set. */
export interface Settings {
    /** Path of envoydbg. */
    readonly adapterPath: unknown;
    /** Path of lldb-dap, for configurations that do not name one. */
    readonly lldbDap: unknown;
    /** Path of the file that the adapter writes its log to. */
    readonly log: unknown;
    /** Path of the workspace folder, which is where the sources are unless the adapter finds a Bazel work tree. */
    readonly workspaceFolder: unknown;
}

/** A configuration from the user's launch.json: a value can be of any type. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface AdapterCommand {
    readonly command: string;
    readonly args: readonly string[];
    /** The folder that the adapter runs in, and so the default of `agent.cwd`. Undefined without a workspace folder. */
    readonly cwd: string | undefined;
}

/**
 * Returns the command line of the adapter, which speaks DAP on its stdin and stdout.
 *
 * @param extensionPath the folder of the extension, which contains bin/envoydbg
 */
export function adapterCommand(configuration: Configuration, settings: Settings, extensionPath: string): AdapterCommand {
    // Phase events: VS Code's initialize request cannot ask for them.
    const args = ['dap', '--phase-events'];
    const lldbDap = nonEmptyString(configuration['lldbDap']) ?? nonEmptyString(settings.lldbDap);
    if (lldbDap !== undefined) {
        args.push('--lldb-dap', lldbDap);
    }
    const log = nonEmptyString(settings.log);
    if (log !== undefined) {
        args.push('--log', log);
    }
    const workspaceFolder = nonEmptyString(settings.workspaceFolder);
    if (workspaceFolder !== undefined) {
        args.push('--work-tree', workspaceFolder);
    }
    return {
        command: nonEmptyString(settings.adapterPath) ?? path.join(extensionPath, 'bin', 'envoydbg'),
        args,
        cwd: workspaceFolder,
    };
}

/** Attributes of other types are not rejected here: the adapter validates them all. */
function nonEmptyString(value: unknown): string | undefined {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
