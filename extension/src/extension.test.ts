import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type * as vscode from 'vscode';
import { type DebugAdapterExecutable, resetStub, stub } from '../../test/support/vscode';
import { activate } from './extension';

let home: string;
let extension: vscode.ExtensionContext;

beforeEach(() => {
    resetStub();
    home = mkdtempSync(join(tmpdir(), 'envoydbg-extension-'));
    const packageJSON: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
    extension = { extensionPath: home, extension: { packageJSON }, subscriptions: [] as vscode.Disposable[] } as unknown as vscode.ExtensionContext;
});
afterEach(() => {
    rmSync(home, { recursive: true });
});

const folder = { uri: { fsPath: '/home/me/proxy' } } as unknown as vscode.WorkspaceFolder;

/** A file in the home folder, and its path. */
function file(name: string, mode: number): string {
    const path = join(home, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '#!/bin/sh\necho envoydbg 1.0\n');
    chmodSync(path, mode);
    return path;
}

/** What VS Code does with a configuration at F5: undefined cancels the session. */
function resolved(configuration: object, inFolder?: vscode.WorkspaceFolder): Promise<unknown> {
    const provider = stub.registered.get('configuration provider of envoy') as Required<vscode.DebugConfigurationProvider>;
    return provider.resolveDebugConfigurationWithSubstitutedVariables(inFolder, configuration as vscode.DebugConfiguration) as Promise<unknown>;
}

/** What VS Code then starts. */
function started(configuration: object, workspaceFolder?: vscode.WorkspaceFolder): DebugAdapterExecutable {
    const factory = stub.registered.get('adapter factory of envoy') as vscode.DebugAdapterDescriptorFactory;
    const session = { configuration, workspaceFolder } as vscode.DebugSession;
    return factory.createDebugAdapterDescriptor(session, undefined) as unknown as DebugAdapterExecutable;
}

suite('the extension', () => {
    test('serves the debug type envoy for as long as it is active', () => {
        activate(extension);
        assert.deepEqual(
            [...stub.registered.keys()],
            [
                ...['dynamic configuration provider of envoy', 'configuration provider of envoy', 'adapter factory of envoy'],
                ...['command envoy.pickProcess', 'command envoy.pickProgram', 'command envoy.startAgent', 'tracker factory of envoy'],
            ],
        );
        for (const subscription of extension.subscriptions) {
            subscription.dispose();
        }
        assert.equal(stub.registered.size, 0);
    });

    test('starts its own envoydbg, in the workspace folder', () => {
        activate(extension);
        const { command, args, options } = started({}, folder);
        assert.equal(command, join(home, 'bin/envoydbg'));
        assert.deepEqual(args, ['dap', '--phase-events', '--work-tree', '/home/me/proxy']);
        assert.deepEqual(options, { cwd: '/home/me/proxy' });
    });

    test('starts it without a workspace folder, too', () => {
        activate(extension);
        const { args, options } = started({});
        assert.deepEqual(args, ['dap', '--phase-events']);
        assert.deepEqual(options, {});
    });

    test('reads every setting', () => {
        activate(extension);
        stub.settings = { 'envoy.adapterPath': '/opt/envoydbg', 'envoy.lldbDap': '/opt/lldb-dap', 'envoy.log': '/tmp/log' };
        const { command, args } = started({});
        assert.equal(command, '/opt/envoydbg');
        assert.deepEqual(args, ['dap', '--phase-events', '--lldb-dap', '/opt/lldb-dap', '--log', '/tmp/log']);
    });

    test('reads the settings of the session\'s folder', () => {
        activate(extension);
        stub.settings = { 'envoy.log': '/tmp/log' };
        stub.folderSettings['/home/me/proxy'] = { 'envoy.log': '/tmp/log-of-folder' };
        assert.deepEqual(started({}, folder).args, ['dap', '--phase-events', '--log', '/tmp/log-of-folder', '--work-tree', '/home/me/proxy']);
        assert.deepEqual(started({}).args, ['dap', '--phase-events', '--log', '/tmp/log']);
    });

    test('takes lldb-dap from the configuration', () => {
        activate(extension);
        assert.deepEqual(started({ lldbDap: '/opt/lldb-dap' }).args, ['dap', '--phase-events', '--lldb-dap', '/opt/lldb-dap']);
    });

    test('lets a session begin, unchanged, whose adapter can be run', async () => {
        activate(extension);
        file('bin/envoydbg', 0o755);
        const configuration = { type: 'envoy', gate: false };
        assert.equal(await resolved(configuration), configuration);
        assert.deepEqual(configuration, { type: 'envoy', gate: false });
        assert.deepEqual(stub.errors, []);
    });

    for (const { what, path, why } of [
        { what: 'does not exist', path: () => join(home, 'nothing'), why: /does not exist\.$/ },
        { what: 'is not executable', path: () => file('data', 0o644), why: /may not be executed: / },
        { what: 'is a folder', path: () => home, why: /may not be executed: it is a folder/ },
        { what: 'is another program', path: () => '/bin/true', why: /is no envoydbg / },
    ]) {
        test(`cancels a session whose adapter ${what}, and says so`, async () => {
            activate(extension);
            file('bin/envoydbg', 0o755);
            const adapterPath = path();
            stub.folderSettings['/home/me/proxy'] = { 'envoy.adapterPath': adapterPath };
            assert.equal(await resolved({}, folder), undefined);
            const [error] = stub.errors;
            assert.equal(stub.errors.length, 1);
            assert.ok(error?.message.startsWith(`The debug adapter ${adapterPath} `), error?.message);
            assert.match(error?.message ?? '', why);
            assert.deepEqual(error?.buttons, ['Open Setting']);
        });
    }

    test('opens the setting that names the adapter when the user presses the button', async () => {
        activate(extension);
        await resolved({});
        stub.answer('Open Setting');
        await turn();
        assert.deepEqual(stub.executed, [['workbench.action.openSettings', 'envoy.adapterPath']]);
    });

    test('opens nothing when the user closes the message', async () => {
        activate(extension);
        await resolved({});
        stub.answer(undefined);
        await turn();
        assert.deepEqual(stub.executed, []);
    });
});
