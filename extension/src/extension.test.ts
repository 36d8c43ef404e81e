import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type * as vscode from 'vscode';
import { fakeBackend, opened } from '../../test/support/backend';
import { type DebugAdapterNamedPipeServer, resetStub, session, settingChanged, stub } from '../../test/support/vscode';
import { activate } from './extension';

let home: string;
let extension: vscode.ExtensionContext;
const packageJSON = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; contributes: { commands: { command: string }[] } };

beforeEach(() => {
    resetStub();
    home = mkdtempSync(join(tmpdir(), 'envoydbg-extension-'));
    extension = { extensionPath: home, extension: { packageJSON }, subscriptions: [] as vscode.Disposable[] } as unknown as vscode.ExtensionContext;
    activate(extension);
});
afterEach(() => {
    for (const subscription of extension.subscriptions) {
        subscription.dispose();
    }
    rmSync(home, { recursive: true });
});

const folder = { uri: { fsPath: '/home/me/proxy' } } as unknown as vscode.WorkspaceFolder;

/** What VS Code does with a configuration at F5: undefined cancels the session. */
function resolved(configuration: object, inFolder?: vscode.WorkspaceFolder): Promise<unknown> {
    const provider = stub.registered.get('configuration provider of envoy') as Required<vscode.DebugConfigurationProvider>;
    return provider.resolveDebugConfigurationWithSubstitutedVariables(inFolder, configuration as vscode.DebugConfiguration) as Promise<unknown>;
}

suite('the extension', () => {
    test('serves the debug type envoy and every command of the manifest, for as long as it is active', () => {
        const registered = [...stub.registered.keys()];
        for (const what of ['dynamic configuration provider of envoy', 'configuration provider of envoy', 'adapter factory of envoy', 'tracker factory of envoy']) {
            assert.ok(registered.includes(what), what);
        }
        const variables = ['pickProcess', 'pickProgram', 'pickSidecar'].map((name) => `command envoy.${name}`);
        assert.deepEqual(
            registered.filter((what) => what.startsWith('command ')).sort(),
            [...packageJSON.contributes.commands.map(({ command }) => `command ${command}`), ...variables].sort(),
        );
        for (const subscription of extension.subscriptions) {
            subscription.dispose();
        }
        assert.equal(stub.registered.size, 0);
    });

    test('lets each session speak with the backend of the window, which is started once', async () => {
        fakeBackend(join(home, 'bin/envoydbg'));
        stub.settings = { 'envoy.lldbDap': '/opt/lldb-dap' };
        const configuration = { type: 'envoy', gate: false };
        for (const workspaceFolder of [folder, undefined]) {
            assert.equal(await resolved(configuration, workspaceFolder), configuration);
            const factory = stub.registered.get('adapter factory of envoy') as vscode.DebugAdapterDescriptorFactory;
            const { path } = (await factory.createDebugAdapterDescriptor({ workspaceFolder } as vscode.DebugSession, undefined)) as unknown as DebugAdapterNamedPipeServer;
            assert.equal(path, join(home, 'bin/dap-1'));
            stub.settings = { ...stub.settings, 'envoy.warm': false };
        }
        assert.deepEqual(opened(join(home, 'bin/envoydbg')), [
            { folder: '/home/me/proxy', lldbDap: '/opt/lldb-dap', trace: false },
            { lldbDap: '/opt/lldb-dap', cold: true, trace: false },
        ]);
        assert.deepEqual(stub.errors, []);
    });

    test('shows what stands by for the next session, until the user wants none', async () => {
        fakeBackend(join(home, 'bin/envoydbg'));
        const factory = stub.registered.get('adapter factory of envoy') as vscode.DebugAdapterDescriptorFactory;
        const shown = (): typeof stub.language => stub.language;
        assert.equal(shown(), undefined);
        await factory.createDebugAdapterDescriptor({} as vscode.DebugSession, undefined);
        const now = shown();
        assert.deepEqual(now && { text: now.text, detail: now.detail, busy: now.busy }, { text: 'LLDB stands by for envoy-static', detail: '1.2 GB of memory', busy: false });

        settingChanged('envoy.warm');
        assert.notEqual(shown(), undefined, 'it is still on');
        stub.settings = { 'envoy.warm': false };
        settingChanged('envoy.warm');
        for (const end = Date.now() + 10_000; shown() !== undefined;) {
            await turn();
            assert.ok(Date.now() < end, 'it has been dropped');
        }
    });

    test('lets another backend serve when the setting has changed and no session runs', async () => {
        fakeBackend(join(home, 'bin/envoydbg'));
        const factory = stub.registered.get('adapter factory of envoy') as vscode.DebugAdapterDescriptorFactory;
        const socket = async (): Promise<string> => ((await factory.createDebugAdapterDescriptor({} as vscode.DebugSession, undefined)) as unknown as DebugAdapterNamedPipeServer).path;
        const trackers = stub.registered.get('tracker factory of envoy') as vscode.DebugAdapterTrackerFactory;
        const tracker = trackers.createDebugAdapterTracker(session('1') as unknown as vscode.DebugSession) as vscode.DebugAdapterTracker;
        assert.equal(await socket(), join(home, 'bin/dap-1'));
        settingChanged('envoy.adapterPath');
        assert.equal(await socket(), join(home, 'bin/dap-1'), 'its session runs');
        tracker.onExit?.(0, undefined);
        assert.equal(await socket(), join(home, 'bin/dap-2'));
        assert.deepEqual(stub.errors, []);
    });

    test('cancels a session whose backend cannot be started, and offers the setting that names it', async () => {
        stub.settings = { 'envoy.adapterPath': join(home, 'nothing') };
        assert.equal(await resolved({}, folder), undefined);
        assert.deepEqual(stub.errors, [{ message: `envoydbg cannot be started: ${join(home, 'nothing')} does not exist.`, buttons: ['Open Setting', 'Show Log'] }]);
        stub.answer('Open Setting');
        await turn();
        assert.deepEqual(stub.executed, [['workbench.action.openSettings', { query: '@id:envoy.adapterPath' }]]);
    });

    test('cancels a session whose backend is of another version', async () => {
        fakeBackend(join(home, 'bin/envoydbg'), { version: '0.0.9' });
        assert.equal(await resolved({}), undefined);
        const [error] = stub.errors;
        assert.match(error?.message ?? '', /^The versions differ\./);
        assert.deepEqual(error?.buttons, ['Open Setting', 'Show Log']);
    });

    test('says of each command that has nothing to work on why it cannot', async () => {
        for (const [name, why] of [
            ['startAgent', /^No debug session waits for the start of its agent\./],
            ['stopAgent', /^No debug session has started an agent\./],
            ['showTimeline', /^No startup has been debugged in this window/],
            ['createLaunchConfiguration', /^A launch configuration belongs to a folder, and none is open\./],
        ] as const) {
            await (stub.registered.get(`command envoy.${name}`) as () => Promise<void>)();
            assert.match(stub.errors.at(-1)?.message ?? '', why);
        }
    });
});

suite('an error that ends a startup', () => {
    const fault = { id: 'ED1203', what: 'The local program is not the Envoy that will run.', evidence: ['local 3f0c', 'pod 9e55'], do: 'Set "program".', page: 'docs/errors.md#ed1203', command: 'git checkout 1f2e' };

    /** The adapter refuses to begin. */
    function refused(showUser: boolean): void {
        const factory = stub.registered.get('tracker factory of envoy') as vscode.DebugAdapterTrackerFactory;
        const tracker = factory.createDebugAdapterTracker(session('1') as unknown as vscode.DebugSession) as vscode.DebugAdapterTracker;
        tracker.onDidSendMessage?.({ type: 'response', command: 'launch', success: false, body: { error: { id: 1203, format: '…', showUser, envoy: fault } } });
    }

    test('is one dialog with buttons', async () => {
        refused(false);
        await turn();
        assert.deepEqual(stub.errors, [{ message: fault.what, detail: 'local 3f0c\npod 9e55\n\nSet "program". [ED1203]', buttons: ['Copy Command', 'Explain', 'Show Log'] }]);
        stub.answer('Copy Command');
        await turn();
        assert.equal(stub.copied, 'git checkout 1f2e');
    });

    test('is left to VS Code where VS Code shows it', async () => {
        refused(true);
        await turn();
        assert.deepEqual(stub.errors, []);
    });
});
