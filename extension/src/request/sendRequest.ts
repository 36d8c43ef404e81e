import * as vscode from 'vscode';
import { ask } from '../backend/ask';
import type { Backend } from '../backend/backend';
import type { Documents } from '../documents';
import { pickSidecar } from '../sidecars/pick';
import { responsesText, summary } from './text';

/** Where the last URL is kept, in the workspace. */
const last = 'envoy.lastUrl';

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
    const responses = await ask(backend, `requesting ${url}`, 'request', { ...cluster, namespace: sidecar.namespace, target: sidecar.target, container: sidecar.container, url });
    const show = 'Show Response';
    if ((await vscode.window.showInformationMessage(summary(responses), show)) === show) {
        await documents.show('Response', responsesText(responses));
    }
}
