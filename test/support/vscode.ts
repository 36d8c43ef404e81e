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

/** A session that waits or runs; what the extension asks of it fails with `refusal`, if there is one. */
export interface Session {
    readonly id: string;
    readonly name: string;
    readonly asked: string[];
    refusal?: string;
    readonly configuration: { readonly name: string };
    customRequest(request: string): Promise<unknown>;
}

/** Makes a session. */
export function session(id: string): Session {
    const asked: string[] = [];
    return {
        ...{ id, name: `session ${id}`, asked, configuration: { name: `session ${id}` } },
        customRequest(request: string): Promise<unknown> {
            asked.push(request);
            return this.refusal === undefined ? Promise.resolve({ pid: 1 }) : Promise.reject(new Error(this.refusal));
        },
    };
}

interface Item {
    readonly label: string;
    readonly description?: string;
    readonly detail?: string;
}

interface Folder {
    readonly uri: { readonly fsPath: string };
}

/** A message to the user. */
interface Shown {
    readonly message: string;
    /** What stands below it; only a dialog has it. */
    readonly detail?: string;
    readonly buttons: readonly string[];
}

class Stub {
    /** The user's settings, by their full name. */
    settings: Record<string, unknown> = {};
    /** The settings of a workspace folder, by its path; they win over the user's. */
    readonly folderSettings: Record<string, Record<string, unknown>> = {};
    /** Each error message: its text and its buttons. */
    readonly errors: Shown[] = [];
    /** Each warning, likewise. */
    readonly warnings: Shown[] = [];
    /** Each line of the log, after its level. */
    readonly log: string[] = [];
    /** What was copied. */
    copied: string | undefined;
    /** Each command that was executed, with its arguments. */
    readonly executed: unknown[][] = [];
    /** The lists that the user was asked to choose from. */
    readonly picks: Item[][] = [];
    /** The label of the user's choice; undefined for Escape. */
    choice: string | undefined;
    /** The labels of the user's next choices, which go before that one. */
    readonly choices: string[] = [];
    /** The file that the user opens when asked to; undefined for Escape. */
    file: string | undefined;
    /** The folder that is open. */
    folder: string | undefined;
    /** The session that VS Code shows. */
    activeSession: Session | undefined;
    /** The text of the status bar, as far as it is the extension's. */
    status: string | undefined;
    /** What is shown beside the language of a C++ file, as far as it is the extension's. */
    language: { text: string; detail?: string; busy?: boolean } | undefined;
    /** Who hears of changed settings. */
    readonly settingsListeners = new Set<(change: Change) => void>();
    /** What is registered, by what it is and its debug type. */
    readonly registered = new Map<string, unknown>();
    /** The user's answer to the last error message; until then the extension waits. */
    answer: (button: string | undefined) => void = () => undefined;
}

export let stub = new Stub();

interface Change {
    affectsConfiguration(name: string): boolean;
}

/** Tells the extension that a setting has changed. */
export function settingChanged(name: string): void {
    for (const listener of stub.settingsListeners) {
        listener({ affectsConfiguration: (other) => other === name });
    }
}

/** Forgets everything. */
export function resetStub(): void {
    stub = new Stub();
}

function register(what: string, value: unknown): { dispose(): void } {
    const { registered } = stub;
    registered.set(what, value);
    return { dispose: () => registered.delete(what) };
}

export enum DebugConfigurationProviderTriggerKind {
    Initial = 1,
    Dynamic = 2,
}

export enum LogLevel {
    Trace = 1,
    Info = 3,
}

export enum StatusBarAlignment {
    Left = 1,
    Right = 2,
}

export class ThemeColor {
    constructor(readonly id: string) {}
}

export const debug = {
    get activeDebugSession(): Session | undefined {
        return stub.activeSession;
    },
    onDidChangeActiveDebugSession: (listener: unknown) => register('listener to the active session', listener),
    registerDebugConfigurationProvider: (type: string, value: unknown, trigger = DebugConfigurationProviderTriggerKind.Initial) =>
        register(`${trigger === DebugConfigurationProviderTriggerKind.Dynamic ? 'dynamic ' : ''}configuration provider of ${type}`, value),
    registerDebugAdapterTrackerFactory: (type: string, value: unknown) => register(`tracker factory of ${type}`, value),
    registerDebugAdapterDescriptorFactory: (type: string, value: unknown) => register(`adapter factory of ${type}`, value),
};

export const workspace = {
    workspaceFile: undefined,
    onDidChangeConfiguration: (listener: (change: Change) => void) => {
        const { settingsListeners } = stub;
        settingsListeners.add(listener);
        return { dispose: () => settingsListeners.delete(listener) };
    },
    registerTextDocumentContentProvider: (scheme: string, value: unknown) => register(`documents of ${scheme}`, value),
    get workspaceFolders(): Folder[] | undefined {
        return stub.folder === undefined ? undefined : [{ uri: { fsPath: stub.folder } }];
    },
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
    showQuickPick: async (list: Item[] | Promise<Item[]>): Promise<Item | undefined> => {
        const items = await list;
        stub.picks.push(items);
        const choice = stub.choices.shift() ?? stub.choice;
        return items.find(({ label }) => label === choice);
    },
    showOpenDialog: (): Promise<Folder['uri'][] | undefined> => Promise.resolve(stub.file === undefined ? undefined : [{ fsPath: stub.file }]),
    createStatusBarItem: () => ({
        text: '',
        show(): void {
            stub.status = this.text;
        },
        hide: (): void => {
            stub.status = undefined;
        },
        dispose: (): void => {
            stub.status = undefined;
        },
    }),
    createOutputChannel: () => ({
        ...Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, (line: string): void => { stub.log.push(`${level}: ${line}`); }])),
        logLevel: LogLevel.Info,
        show: (): void => { stub.executed.push(['show the log']); },
        dispose: (): void => undefined,
    }),
    showErrorMessage: (message: string, ...rest: unknown[]) => ask(stub.errors, message, rest),
    showWarningMessage: (message: string, ...rest: unknown[]) => ask(stub.warnings, message, rest),
};

function ask(list: Shown[], message: string, rest: unknown[]): Promise<string | undefined> {
    const options = rest.find((item) => typeof item === 'object') as { detail?: string } | undefined;
    list.push({ message, ...options?.detail !== undefined && { detail: options.detail }, buttons: rest.filter((item) => typeof item === 'string') });
    return new Promise((resolve) => {
        stub.answer = resolve;
    });
}

export const languages = {
    createLanguageStatusItem: () => {
        stub.language = { text: '' };
        return Object.assign(stub.language, { dispose: (): void => { stub.language = undefined; } });
    },
};

export const env = {
    clipboard: {
        writeText: (text: string): Promise<void> => {
            stub.copied = text;
            return Promise.resolve();
        },
    },
};

export class EventEmitter<T> {
    private readonly listeners = new Set<(value: T) => void>();
    readonly event = (listener: (value: T) => void): { dispose(): void } => {
        this.listeners.add(listener);
        return { dispose: () => this.listeners.delete(listener) };
    };
    fire(value: T): void {
        for (const listener of this.listeners) {
            listener(value);
        }
    }
    dispose(): void {
        this.listeners.clear();
    }
}

export class Disposable {
    constructor(private readonly all: readonly { dispose(): unknown }[]) {}
    static from(...all: { dispose(): unknown }[]): Disposable {
        return new Disposable(all);
    }
    dispose(): void {
        for (const each of this.all) {
            each.dispose();
        }
    }
}

export class ThemeIcon {
    constructor(readonly id: string) {}
}

export class CancellationError extends Error {}

export { CancellationTokenSource } from 'vscode-jsonrpc/node';

export const commands = {
    registerCommand: (name: string, value: unknown) => register(`command ${name}`, value),
    executeCommand: (...command: unknown[]): Promise<void> => {
        stub.executed.push(command);
        return Promise.resolve();
    },
};

export class DebugAdapterNamedPipeServer {
    constructor(readonly path: string) {}
}
