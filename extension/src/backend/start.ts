import * as path from 'node:path';
import * as vscode from 'vscode';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Level, Log } from '../log';
import { nonEmptyString } from '../strings';
import { Backend } from './backend';
import type { Hello, LogEntry, StandBy, Welcome } from './protocol';

/** The levels of the backend, as VS Code calls them. */
const levels: Readonly<Record<string, Level>> = { trace: 'trace', debug: 'debug', info: 'info', warning: 'warn', error: 'error' };

/**
 * Makes the backend of this window, as the settings want it. It is started when it is first needed.
 *
 * @param standBy is told which lldb-dap stands by
 */
export function backendOf({ extensionPath, extension }: vscode.ExtensionContext, log: Log, standBy: (now: StandBy) => void): Backend {
    const { version } = extension.packageJSON as { version: string };
    const program = (): { command: string; cwd: string | undefined } => ({
        command: nonEmptyString(vscode.workspace.getConfiguration('envoy').get('adapterPath')) ?? path.join(extensionPath, 'bin', 'envoydbg'),
        cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
    });
    const greet = async (connection: MessageConnection): Promise<void> => {
        connection.onNotification('log', ({ level, message }: LogEntry) => {
            log[levels[level] ?? 'info'](message);
        });
        connection.onNotification('standBy', standBy);
        connection.onClose(() => { standBy({ state: 'none' }); });
        const hello: Hello = { version, folders: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath) };
        await connection.sendRequest<Welcome>('initialize', hello); // which the backend of another version refuses
    };
    return new Backend(program, greet, log);
}
