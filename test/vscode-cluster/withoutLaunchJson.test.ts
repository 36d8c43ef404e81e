import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { envoyTree } from '../support/sample';
import { bystanders, type Setting } from '../vscode/stage';
import { Place } from './setting';

const place = new Place();
const { vscode } = place;

function bare(scratch: string): Setting {
    const folder = join(scratch, 'proxy');
    envoyTree(folder);
    return { folder };
}

// The pod's Envoy is the real one, and the work tree's the sample: a session finds that out in the pod.
test('F5 without a launch.json asks for the sidecar, and gets to its pod', { timeout: 300_000 }, vscode.story(bare, async ({ t, workbench, screenshot }) => {
    const { cluster } = place;
    const namespace = await cluster.demo('bare');
    t.after(() => cluster.remove(namespace));
    await workbench.openFile('main_common.cc');
    await workbench.press('F5');
    await workbench.choices('Debug', 60);
    await workbench.choose('', 'Envoy: Debug Startup in Kubernetes');
    await workbench.choices('Sidecar to Debug', 30);
    await workbench.choose(namespace, 'statefulset/fortio-server');
    const shown = await workbench.error(90);
    await screenshot('cluster-other-build');
    assert.match(shown, /program +\S+\/bazel-bin\/envoy +build-id [0-9a-f]{40}/);
    // Only the pod has that file.
    assert.match(shown, /envoyPath +\/usr\/local\/bin\/envoy +build-id [0-9a-f]{40}/);
    await onlyTheseRun(bystanders, 20);
    await cluster.parked(namespace, 'fortio-server-0');
}));
