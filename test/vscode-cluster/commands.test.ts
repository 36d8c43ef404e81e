import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Workbench } from '../vscode/workbench';
import { Place, tree } from './setting';

const place = new Place();
const { vscode } = place;

/** A workload that nobody has prepared: its sidecar has started, and takes part in the mesh. */
const web = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: main-app, image: "envoydbg.test/app:1", args: [serve, ":8080"]}
`;

async function pick(workbench: Workbench, namespace: string): Promise<void> {
    const sidecars = await workbench.choices('Sidecar to Debug', 30);
    assert.ok(sidecars.some((row) => row.join(' ').includes('deployment/web')), JSON.stringify(sidecars));
    await workbench.choose(namespace, 'deployment/web');
}

test('a sidecar that runs is checked, sent a request, and held by a copy that is released', { timeout: 400_000 }, vscode.story(tree, async ({ t, workbench, screenshot }) => {
    const { cluster } = place;
    const namespace = await cluster.namespace('commands');
    t.after(() => cluster.remove(namespace));
    await cluster.apply(namespace, web);
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=90s']);
    const pods = async (): Promise<string[]> => (await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'name'])).split('\n').filter((name) => name !== '');
    const [pod, ...more] = await pods();
    assert.deepEqual(more, []);

    await workbench.run('Envoy: Check Setup');
    await workbench.choose('', 'A sidecar…');
    await pick(workbench, namespace);
    const findings = await workbench.choices('A sidecar…: a session would work', 60);
    await screenshot('cluster-check');
    assert.ok(findings.some((row) => row.join(' ').includes('API server')), JSON.stringify(findings));
    await workbench.press('Escape');

    await workbench.run('Envoy: Send Request');
    await pick(workbench, namespace);
    await workbench.type(`http://web.${namespace}:8080/hello`);
    // The application's image has no shell.
    await workbench.type('envoydbg.test/proxyv2:1');
    const answered = workbench.progress('through Envoy.');
    await answered.waitFor({ timeout: 30_000 });
    assert.match(await answered.innerText(), /^200 OK in \d+ ms, from .*, through Envoy\.$/);
    await workbench.pressButton('Show Response');
    await workbench.tab('Response').waitFor();
    await screenshot('cluster-response');

    await workbench.run('Envoy: Hold Sidecar');
    await pick(workbench, namespace);
    await workbench.choices('Hold Sidecar', 20);
    await workbench.choose('', 'A copy of the pod');
    await workbench.progress('waits for a debug session').waitFor({ timeout: 60_000 });
    await screenshot('cluster-held');
    const held = await pods();
    assert.equal(held.length, 2);
    assert.ok(pod !== undefined && held.includes(pod));
    await workbench.pressButton('Release');
    await workbench.progress('Released: ').waitFor({ timeout: 60_000 });
    await cluster.kubectl(['wait', '-n', namespace, ...held.filter((name) => name !== pod), '--for=delete', '--timeout=60s']);
    assert.deepEqual(await pods(), [pod]);
    assert.deepEqual(await workbench.errorMessages(), []);

    // There is nothing to release now, and a message says so.
    await workbench.run('Envoy: Release');
    assert.match(await workbench.error(30), /Nothing is held in the cluster/);
}));
