/** The commands Envoy: Hold Sidecar and Envoy: Release. */

import * as vscode from 'vscode';
import { ask } from '../backend/ask';
import type { Backend } from '../backend/backend';
import type { Cluster, HeldObject } from '../backend/protocol';
import { FaultError } from '../faults/fault';
import type { Target } from '../sidecars/configuration';
import { pickCluster, pickSidecar } from '../sidecars/pick';

const ways = [
    { label: 'A copy of the pod', detail: 'The workload is not touched, and the copy is in no Service.', workload: false },
    { label: 'The workload', detail: 'Its next pods wait. It restarts now, and is made what it was by Envoy: Release.', workload: true },
];

/** @param debug starts a session with what is held */
export async function holdSidecar(backend: Backend, debug: (cluster: Cluster, target: Target) => Promise<void>): Promise<void> {
    const choice = await pickSidecar(backend);
    const way = choice && (await vscode.window.showQuickPick(ways, { title: 'Hold Sidecar', placeHolder: `What of ${choice.sidecar.target} is to wait before its Envoy starts` }));
    if (choice === undefined || way === undefined) {
        return;
    }
    const { cluster, sidecar } = choice;
    const held = await ask(backend, `holding ${sidecar.target}`, 'hold', {
        ...cluster,
        ...{ namespace: sidecar.namespace, target: sidecar.target, container: sidecar.container, workload: way.workload },
    });
    const until = held.until === undefined ? '' : ` The cluster ends it at ${new Date(held.until).toLocaleTimeString()}.`;
    const pressed = await vscode.window.showInformationMessage(`${held.name} in ${held.namespace} waits for a debug session.${until}`, 'Debug', 'Release');
    if (pressed === 'Debug') {
        await debug(cluster, { target: way.workload ? sidecar.target : held.name, namespace: held.namespace, container: sidecar.container });
    } else if (pressed === 'Release') {
        await give(backend, cluster, [held]);
    }
}

export async function release(backend: Backend): Promise<void> {
    const cluster = await pickCluster(backend);
    if (cluster === undefined) {
        return;
    }
    const { held } = await ask(backend, 'looking for what is held', 'held', cluster);
    if (held.length === 0) {
        throw new FaultError({ what: 'Nothing is held in the cluster, so there is nothing to release.' });
    }
    const picked = await vscode.window.showQuickPick(
        held.map((object) => ({ label: object.name, description: `${object.namespace} · ${object.state}${object.who === undefined ? '' : `, by ${object.who}`}`, ...(object.problem !== undefined && { detail: object.problem }), object })),
        { title: 'Release', placeHolder: 'What to give back', canPickMany: true },
    );
    if (picked !== undefined && picked.length > 0) {
        await give(backend, cluster, picked.map(({ object }) => object));
    }
}

async function give(backend: Backend, cluster: Cluster, objects: readonly HeldObject[]): Promise<void> {
    for (const { namespace, name } of objects) {
        await ask(backend, `releasing ${name}`, 'release', { ...cluster, namespace, target: name });
    }
    void vscode.window.showInformationMessage(`Released: ${objects.map(({ name }) => name).join(', ')}.`);
}
