import * as vscode from 'vscode';
import type { Backend } from './backend';
import type { Requests } from './protocol';

/** Sends a request while a notification says what is done and how far it is; its Cancel cancels the request. */
export function ask<M extends keyof Requests>(backend: Backend, title: string, method: M, params: Requests[M]['params']): Thenable<Requests[M]['result']> {
    return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: `Envoy: ${title}`, cancellable: true }, (progress, token) =>
        backend.request(method, params, token, (message) => { progress.report({ message }); }),
    );
}
