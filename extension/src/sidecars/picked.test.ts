import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import type * as vscode from 'vscode';
import { fakeBackend } from '../../../test/support/backend';
import { resetStub, stub, window } from '../../../test/support/vscode';
import type { Backend } from '../backend/backend';
import { backendOf } from '../backend/start';
import type { Log } from '../log';
import { PickedSidecar } from './picked';

let home: string;
let backend: Backend;
let picked: PickedSidecar;
beforeEach(() => {
    resetStub();
    home = mkdtempSync(join(tmpdir(), 'envoydbg-sidecars-'));
    fakeBackend(join(home, 'bin/envoydbg'));
    backend = backendOf({ extensionPath: home, extension: { packageJSON: { version: '0.1.0' } } } as unknown as vscode.ExtensionContext, window.createOutputChannel() as unknown as Log, () => undefined);
    picked = new PickedSidecar(backend);
});
afterEach(() => {
    backend.dispose();
    rmSync(home, { recursive: true });
});

const target = 'statefulset/fortio-server';
const configuration = { type: 'envoy', name: 'Envoy', request: 'attach', target };

suite('the choice of a sidecar', () => {
    test('is where and then which, and the configuration gets what leads there', async () => {
        stub.choices.push('near', target);
        assert.equal(await picked.pick(), target);
        assert.deepEqual(
            stub.picks.map((items) => items.map(({ label, description }) => [label, description])),
            [
                [['near', 'current'], ['far', undefined]],
                [[target, 'demo · running']],
            ],
        );
        assert.deepEqual(picked.complete(configuration), { ...configuration, namespace: 'demo', context: 'near' });
        assert.equal(picked.complete(configuration), configuration, 'it was for that one start');
    });

    test('asks only for what the configuration does not say', async () => {
        stub.choices.push(target);
        const given = { context: 'near', namespace: 'shop' };
        assert.equal(await picked.pick(given), target);
        assert.equal(stub.picks.length, 1);
        assert.deepEqual(picked.complete({ ...configuration, ...given }), { ...configuration, ...given });
    });

    test('says so when there is nothing to choose from', async () => {
        stub.choices.push('far');
        await assert.rejects(picked.pick(), /^Error: There is no sidecar in the cluster \(far\)\./);
    });

    test('may be given up, and then no other configuration is changed', async () => {
        assert.equal(await picked.pick(), undefined);
        stub.choices.push('near');
        assert.equal(await picked.pick(), undefined);
        assert.equal(picked.complete(configuration), configuration);
    });
});
