import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { bystanders } from '../vscode/stage';
import { pickedName, Place, stopsInMain, tree } from './setting';

const place = new Place();
const { vscode } = place;

test('F5 lets the user pick a sidecar, and shows the yellow line in main of its Envoy, in the local file', { timeout: 400_000 }, vscode.story(tree, async ({ t, folder, workbench, screenshot }) => {
    const { cluster } = place;
    const namespace = await cluster.demo('picked');
    t.after(() => cluster.remove(namespace));

    await workbench.canStart(pickedName, 60);
    await workbench.press('F5');
    const sidecars = await workbench.choices('Sidecar to Debug', 30);
    await screenshot('cluster-sidecars');
    assert.ok(sidecars.some(([row]) => row === `statefulset/fortio-server${namespace} · held`), JSON.stringify(sidecars));
    await workbench.choose(namespace, 'statefulset/fortio-server');

    // It is brought once for each pod, which takes seconds.
    await workbench.progress('uploading lldb-server').waitFor({ timeout: 60_000 });
    await screenshot('cluster-phases');
    const line = await stopsInMain(workbench, folder);
    const argc = await workbench.variable('argc', 20);
    assert.ok(Number(argc) > 1, `argc is ${argc}`);
    await screenshot('cluster-stopped');
    await workbench.press('F10');
    await workbench.yellowLineBelow(line, 30);

    await workbench.press('F5');
    // What the agent in the pod and its Envoy write.
    await workbench.console('starting main dispatch loop', 60);
    await screenshot('cluster-running');
    // Shift+F5 would disconnect, since the configuration attaches, and leave Envoy running.
    await workbench.toolbar('Stop');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
    await cluster.parked(namespace, 'fortio-server-0');
    assert.deepEqual(await workbench.errorMessages(), []);
}));
