import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import type * as vscode from 'vscode';
import { resetStub, stub } from '../../test/support/vscode';
import { ConfigurationProvider } from './configurationProvider';
import { type Configuration, offers, withNumericPid } from './configurations';
import { configurationFor } from './sidecars/configuration';
import { pickProcess, pickProgram } from './pickers';

let home: string;
beforeEach(() => {
    resetStub();
    home = mkdtempSync(join(tmpdir(), 'envoydbg-configurations-'));
});
afterEach(() => {
    rmSync(home, { recursive: true });
});

let sidecars: () => Promise<Configuration[]> = () => Promise.resolve([]);
const provider = new ConfigurationProvider(offers(JSON.parse(readFileSync('package.json', 'utf8'))), () => sidecars());

function inHome(): vscode.WorkspaceFolder {
    return { uri: { fsPath: home } } as unknown as vscode.WorkspaceFolder;
}

/** What VS Code starts at F5 without a launch.json. */
function chosen(label: string | undefined, folder?: vscode.WorkspaceFolder): Promise<vscode.DebugConfiguration | undefined> {
    stub.choice = label;
    return provider.resolveDebugConfiguration(folder, {} as vscode.DebugConfiguration);
}

function program(name: string): void {
    mkdirSync(join(home, name, '..'), { recursive: true });
    writeFileSync(join(home, name), '\x7fELF', { mode: 0o755 });
}

suite('F5 without a launch.json', () => {
    test('offers the startup here and in Kubernetes, a process to attach to, and a program, each with what it does', async () => {
        await chosen(undefined);
        assert.deepEqual(
            stub.picks[0]?.map(({ label, detail }) => [label, detail]),
            [
                ['Envoy: Debug Startup', 'Start pilot-agent on this machine and stop in main of its Envoy.'],
                ['Envoy: Debug Startup in Kubernetes', 'Hold a copy of a sidecar\'s pod, and stop in main of its Envoy.'],
                ['Envoy: Attach to Process', 'Debug a running process, chosen from a list.'],
                ['Envoy: Launch Program', 'Start any C or C++ program, chosen from a list, and debug it.'],
            ],
        );
    });

    test('starts what the user has chosen', async () => {
        assert.deepEqual(await chosen('Envoy: Attach to Process', inHome()), {
            ...{ name: 'Envoy: Attach to Process', type: 'envoy', request: 'attach', pid: '${command:envoy.pickProcess}' },
        });
    });

    test('starts nothing when the user chooses nothing', async () => {
        assert.equal(await chosen(undefined, inHome()), undefined);
    });

    test('debugs the startup of bazel-bin/envoy if it is there, and asks for the program if not', async () => {
        assert.equal((await chosen('Envoy: Debug Startup', inHome()))?.['program'], '${command:envoy.pickProgram}');
        assert.equal((await chosen('Envoy: Debug Startup'))?.['program'], '${command:envoy.pickProgram}');
        program('bazel-bin/envoy');
        assert.equal((await chosen('Envoy: Debug Startup', inHome()))?.['program'], '${workspaceFolder}/bazel-bin/envoy');
    });

    test('leaves a configuration from a launch.json as it is', async () => {
        const configuration = { type: 'envoy', name: 'mine', request: 'launch', program: '${workspaceFolder}/none' };
        assert.equal(await provider.resolveDebugConfiguration(inHome(), configuration), configuration);
        assert.deepEqual(stub.picks, []);
    });
});

suite('the list "Select and Start Debugging"', () => {
    const names = async (folder?: vscode.WorkspaceFolder): Promise<string[]> => (await provider.provideDebugConfigurations(folder)).map(({ name }) => name);
    const all = ['Envoy: Debug Startup', 'Envoy: Debug Startup in Kubernetes', 'Envoy: Attach to Process', 'Envoy: Launch Program'];

    test('has the same configurations, for each folder', async () => {
        stub.folder = home;
        assert.deepEqual(await names(inHome()), all);
        assert.deepEqual(await names(), []);
    });

    test('has them without a folder, too', async () => {
        assert.deepEqual(await names(), all);
    });

    test('has the sidecars of the cluster after them, and asks for the program', async () => {
        sidecars = () => Promise.resolve([configurationFor({}, { target: 'deployment/shop', namespace: 'demo' }, '${workspaceFolder}/bazel-bin/envoy')]);
        assert.deepEqual(await names(inHome()), [...all, 'Envoy: deployment/shop (demo)']);
        const [last] = (await provider.provideDebugConfigurations(inHome())).slice(-1);
        assert.deepEqual(last, {
            ...{ name: 'Envoy: deployment/shop (demo)', type: 'envoy', request: 'attach', target: 'deployment/shop', namespace: 'demo' },
            program: '${command:envoy.pickProgram}',
        });
    });

    test('does without a cluster that fails, and waits 3 s for one that does not answer', async (t) => {
        sidecars = () => Promise.reject(new Error('no cluster'));
        assert.deepEqual(await names(inHome()), all);
        t.mock.timers.enable({ apis: ['setTimeout'] });
        sidecars = () => new Promise(() => undefined);
        const asked = names(inHome());
        t.mock.timers.tick(3000);
        assert.deepEqual(await asked, all);
    });
});

suite('the choice of a process', () => {
    test('is by name, process id or command line, and is the process id', async (t) => {
        const path = join(home, 'sleepy-envoy');
        copyFileSync('/bin/sleep', path);
        const child = spawn(path, ['60']);
        t.after(() => child.kill());
        await once(child, 'spawn');
        stub.choice = 'sleepy-envoy';
        assert.equal(await pickProcess(), String(child.pid));
        const [items] = stub.picks;
        assert.deepEqual(items?.find(({ label }) => label === stub.choice), { label: 'sleepy-envoy', description: String(child.pid), detail: `${path} 60` });
        assert.ok(items.every(({ description }) => description !== String(process.pid)), 'the extension itself is no choice');
    });

    test('may be given up', async () => {
        assert.equal(await pickProcess(), undefined);
    });

    test('reaches lldb-dap as a number', () => {
        const configuration = { type: 'envoy', name: 'Envoy: Attach to Process', request: 'attach' };
        assert.deepEqual(withNumericPid({ ...configuration, pid: '4711' }), { ...configuration, pid: 4711 });
        for (const pid of [4711, 'x', '', undefined]) {
            const given = { ...configuration, pid };
            assert.equal(withNumericPid(given), given, String(pid));
        }
    });
});

suite('the choice of a program', () => {
    test('is from those of the folder', async () => {
        program('bin/envoy');
        stub.folder = home;
        stub.choice = 'bin/envoy';
        assert.equal(await pickProgram(), join(home, 'bin/envoy'));
    });

    test('can be any other', async () => {
        program('bin/envoy');
        stub.folder = home;
        stub.choice = '$(folder-opened) Another program…';
        stub.file = '/usr/bin/true';
        assert.equal(await pickProgram(), '/usr/bin/true');
    });

    test('is from all files where no program is found or no folder is open', async () => {
        stub.file = '/usr/bin/true';
        assert.equal(await pickProgram(), '/usr/bin/true');
        stub.folder = home;
        assert.equal(await pickProgram(), '/usr/bin/true');
        assert.deepEqual(stub.picks, []);
    });

    test('may be given up', async () => {
        assert.equal(await pickProgram(), undefined);
    });
});
