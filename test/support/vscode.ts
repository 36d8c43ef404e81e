/**
 * Stands in for the module `vscode` in the unit tests of the extension, which run without VS Code: `npm run build:tests` puts
 * it in the place of that module. `stub` records what the extension did and lets a test play the user.
 */

import { readFileSync } from 'node:fs';

interface Manifest {
    contributes: { configuration: { properties: Record<string, { default: unknown }> } };
}
// npm runs its scripts in the folder of package.json.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const { properties } = manifest.contributes.configuration;

interface Folder {
    readonly uri: { readonly fsPath: string };
}

class Stub {
    /** The user's settings, by their full name. */
    settings: Record<string, unknown> = {};
    /** The settings of a workspace folder, by its path; they win over the user's. */
    readonly folderSettings: Record<string, Record<string, unknown>> = {};
    /** Each error message: its text and its buttons. */
    readonly errors: { readonly message: string; readonly buttons: readonly string[] }[] = [];
    /** Each command that was executed, with its arguments. */
    readonly executed: unknown[][] = [];
    /** What is registered, by what it is and its debug type. */
    readonly registered = new Map<string, unknown>();
    /** The user's answer to the last error message; until then the extension waits. */
    answer: (button: string | undefined) => void = () => undefined;
}

export let stub = new Stub();

/** Forgets everything. */
export function resetStub(): void {
    stub = new Stub();
}

function register(what: string, value: unknown): { dispose(): void } {
    const { registered } = stub;
    registered.set(what, value);
    return { dispose: () => registered.delete(what) };
}

export const debug = {
    registerDebugConfigurationProvider: (type: string, value: unknown) => register(`configuration provider of ${type}`, value),
    registerDebugAdapterDescriptorFactory: (type: string, value: unknown) => register(`adapter factory of ${type}`, value),
};

export const workspace = {
    getConfiguration: (section: string, folder?: Folder) => ({
        get: (key: string): unknown => {
            const name = `${section}.${key}`;
            const setting = properties[name];
            if (setting === undefined) {
                throw new Error(`package.json contributes no setting ${name}`);
            }
            const ofFolder = folder === undefined ? undefined : stub.folderSettings[folder.uri.fsPath];
            return ofFolder?.[name] ?? stub.settings[name] ?? setting.default;
        },
    }),
};

export const window = {
    showErrorMessage: (message: string, ...buttons: string[]): Promise<string | undefined> => {
        stub.errors.push({ message, buttons });
        return new Promise((resolve) => {
            stub.answer = resolve;
        });
    },
};

export const commands = {
    executeCommand: (...command: unknown[]): Promise<void> => {
        stub.executed.push(command);
        return Promise.resolve();
    },
};

export class DebugAdapterExecutable {
    constructor(
        readonly command: string,
        readonly args: string[],
        readonly options: { cwd?: string },
    ) {}
}
