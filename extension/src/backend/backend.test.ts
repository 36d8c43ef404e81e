import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import type * as vscode from 'vscode';
import { fakeBackend, type Ways } from '../../../test/support/backend';
import { resetStub, stub, window } from '../../../test/support/vscode';
import { FaultError, text } from '../faults/fault';
import type { Log } from '../log';
import { Backend } from './backend';
import { backendOf } from './start';

let home: string;
let backend: Backend;
beforeEach(() => {
    resetStub();
    home = mkdtempSync(join(tmpdir(), 'envoydbg-backend-'));
});
afterEach(() => {
    backend.dispose();
    rmSync(home, { recursive: true });
});

/** A backend whose envoydbg is a stand-in. */
function start(ways?: Ways): void {
    fakeBackend(join(home, 'bin/envoydbg'), ways);
    const packageJSON: unknown = { version: '0.1.0' };
    backend = backendOf({ extensionPath: home, extension: { packageJSON } } as unknown as vscode.ExtensionContext, window.createOutputChannel() as unknown as Log, () => undefined);
}

/** Which start of the program serves. */
async function serving(): Promise<string> {
    return (await backend.request('open', {})).socket.split('-').at(-1) ?? '';
}

/** What the user would read of a request that fails. */
async function why(request: Promise<unknown>): Promise<string> {
    try {
        await request;
    } catch (error) {
        return error instanceof FaultError ? text(error.fault) : (error as Error).constructor.name;
    }
    assert.fail('it was answered');
}

suite('the backend', () => {
    test('is one process for all that is asked', async () => {
        start();
        assert.deepEqual(await Promise.all([backend.request('debuggers', {}), backend.request('debuggers', {})]), [{ debuggers: [] }, { debuggers: [] }]);
        assert.equal(await serving(), '1');
    });

    test('says its errors with what there is to do', async () => {
        start();
        assert.equal(await why(backend.request('held', {})), 'The cluster does not permit what is needed.\nAsk for it. [ED1605]');
    });

    test('says how far a request is, to who has asked for it', async () => {
        start();
        const [ours, others]: string[][] = [[], []];
        const source = new CancellationTokenSource();
        const first = backend.request('hold', { target: 'pod/a' }, source.token, (message) => ours?.push(message));
        await backend.request('release', { target: 'pod/b' }, undefined, (message) => others?.push(message));
        source.cancel();
        await why(first);
        assert.deepEqual([ours, others], [['holding pod/a'], ['releasing pod/b']]);
    });

    test('ends a request that is cancelled', async () => {
        start();
        await backend.start();
        const source = new CancellationTokenSource();
        const held = backend.request('hold', { target: 'pod/a' }, source.token);
        source.cancel();
        assert.equal(await why(held), 'CancellationError');
    });

    test('is started again when it dies, with a message, three times', async () => {
        start({ dies: 7 });
        for (const times of [1, 2, 3, 4]) {
            assert.equal(await serving(), String(times));
            assert.equal(await why(backend.request('program', { program: '/envoy' })), 'The backend has ended before it has answered (exit code 7: a bug).');
            assert.equal(stub.errors.length, times);
        }
        const [first, , third, fourth] = stub.errors;
        for (const error of [first, third]) {
            assert.match(error?.message ?? '', /has ended \(exit code 7: a bug\), and was started again\. /);
        }
        assert.match(fourth?.message ?? '', /ends again and again \(exit code 7: a bug\)\. It is started when it is needed next\.$/);
        assert.equal(await serving(), '5', 'the user needs it');
    });

    test('is no death when the window closes', async () => {
        start();
        await backend.start();
        backend.dispose();
        assert.equal(await serving(), '2');
        assert.deepEqual(stub.errors, []);
    });
});
