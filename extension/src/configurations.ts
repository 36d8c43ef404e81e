/** The configurations that the extension offers. They are written in package.json. Nothing here depends on VS Code. */

/** A configuration as in launch.json. */
export interface Configuration {
    readonly name: string;
    readonly type: string;
    readonly request: string;
    readonly [attribute: string]: unknown;
}

/** A configuration to choose, and what it is for. */
export interface Offer {
    readonly configuration: Configuration;
    readonly description: string;
}

interface Debugger {
    readonly initialConfigurations: readonly Configuration[];
    readonly configurationSnippets: readonly { readonly label: string; readonly description: string }[];
}

/** What the manifest offers: the initial configurations, described by the snippets with their names. */
export function offers(packageJson: unknown): Offer[] {
    const { contributes } = packageJson as { contributes: { debuggers: readonly [Debugger] } };
    const [{ initialConfigurations, configurationSnippets }] = contributes.debuggers;
    return initialConfigurations.map((configuration) => ({
        configuration,
        description: configurationSnippets.find(({ label }) => label === configuration.name)?.description ?? '',
    }));
}

/**
 * Returns a configuration that can be started as it is: where its program is not there, or there is no folder in which it
 * could be, the user is asked for the program.
 *
 * @param folder the workspace folder, if there is one
 * @param exists tells whether there is a file of that path
 */
export async function startable(configuration: Configuration, folder: string | undefined, exists: (path: string) => Promise<boolean>): Promise<Configuration> {
    const { program } = configuration;
    if (typeof program !== 'string' || !program.startsWith('${workspaceFolder}')) {
        return configuration;
    }
    if (folder !== undefined && (await exists(program.replace('${workspaceFolder}', folder)))) {
        return configuration;
    }
    return { ...configuration, program: '${command:envoy.pickProgram}' };
}

/** Returns the configuration with its process id as a number. The picker's is a string, as all variables of VS Code are, and LLDB 19 takes numbers only. */
export function withNumericPid<C extends Readonly<Record<string, unknown>>>(configuration: C): C {
    const { pid } = configuration;
    return typeof pid === 'string' && /^\d+$/.test(pid) ? { ...configuration, pid: Number(pid) } : configuration;
}
