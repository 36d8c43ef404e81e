import * as vscode from 'vscode';
import type { Sessions } from '../sessions/sessions';
import type { Backend } from './backend';

/** Lets another envoydbg serve once the setting that names it has changed: at once, or when the sessions of this one are over. */
export function renewWith(backend: Backend, sessions: Sessions): vscode.Disposable {
    let outdated = false;
    const renew = (): void => {
        if (outdated && sessions.all().length === 0) {
            outdated = false;
            backend.dispose(); // it starts again when it is needed
        }
    };
    return vscode.Disposable.from(
        vscode.workspace.onDidChangeConfiguration((change) => {
            outdated ||= change.affectsConfiguration('envoy.adapterPath');
            renew();
        }),
        sessions.onDidChange(renew),
    );
}
