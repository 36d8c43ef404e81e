import type * as vscode from 'vscode';
import type { Message } from '../sessions/state';
import { refusal, told } from './heard';
import type { Presenter } from './presenter';

/** Returns what shows the errors and warnings of debug sessions. */
export function watchFaults(presenter: Presenter): (session: vscode.DebugSession, message: Message) => void {
    return (session, message) => {
        const about = { configuration: session.configuration.name, folder: session.workspaceFolder };
        const refused = refusal(message);
        if (refused !== undefined) {
            // VS Code shows no dialog of its own: the adapter has asked it not to (showUser), and has written it into the Debug Console.
            void presenter.dialog(refused, about);
        }
        const fault = told(message);
        if (fault !== undefined) {
            void presenter.notify(fault, fault.severity, about);
        }
    };
}
