import * as vscode from 'vscode';
import { ask } from '../backend/ask';
import type { Backend } from '../backend/backend';
import type { Responses } from '../backend/protocol';
import type { Documents } from '../documents';
import { FaultError } from '../faults/fault';
import { pickSidecar } from '../sidecars/pick';
import { responsesText, summary } from './text';

/** Where the last URL and the last debug image are kept, in the workspace. */
const last = 'envoy.lastUrl';
const lastImage = 'envoy.lastDebugImage';

/** The application's image has no shell, so a helper cannot be brought in by its own means. */
const noShell = 'ED1611';

/** The command Envoy: Send Request. It sends one as the application of a pod would. */
export async function sendRequest(backend: Backend, documents: Documents, memory: vscode.Memento): Promise<void> {
    const choice = await pickSidecar(backend);
    if (choice === undefined) {
        return;
    }
    const { cluster, sidecar } = choice;
    const url = await vscode.window.showInputBox({
        title: 'Send Request',
        prompt: `Is sent by the application of ${sidecar.target}, and so through its Envoy`,
        value: memory.get(last, 'http://'),
        validateInput: (text) => (/^https?:\/\/[^/]+/.test(text) ? undefined : 'A URL such as http://fortio-server:8080/'),
    });
    if (url === undefined) {
        return;
    }
    await memory.update(last, url);
    const params = { ...cluster, namespace: sidecar.namespace, target: sidecar.target, container: sidecar.container, url };
    const send = (more: { debugImage?: string } = {}): Thenable<Responses> => ask(backend, `requesting ${url}`, 'request', { ...params, ...more });
    let responses: Responses;
    try {
        responses = await send();
    } catch (error) {
        if (!(error instanceof FaultError && error.fault.id === noShell)) {
            throw error;
        }
        const debugImage = await vscode.window.showInputBox({
            title: 'Send Request',
            prompt: `${error.fault.what} Name an image with a shell: an ephemeral container of it brings in what sends the request, and stays listed in the pod`,
            value: memory.get(lastImage, 'busybox'),
            ignoreFocusOut: true,
        });
        if (debugImage === undefined || debugImage === '') {
            return;
        }
        await memory.update(lastImage, debugImage);
        responses = await send({ debugImage });
    }
    const show = 'Show Response';
    if ((await vscode.window.showInformationMessage(summary(responses), show)) === show) {
        await documents.show('Response', responsesText(responses));
    }
}
