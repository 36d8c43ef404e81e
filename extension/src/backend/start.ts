import * as path from 'node:path';
import * as vscode from 'vscode';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { FaultError } from '../faults/fault';
import type { Level, Log } from '../log';
import { nonEmptyString } from '../strings';
import { Backend } from './backend';
import type { Hello, LogEntry, Welcome } from './protocol';

/** The levels of the backend, as VS Code calls them. */
const levels: Readonly<Record<string, Level>> = { trace: 'trace', debug: 'debug', info: 'info', warning: 'warn', error: 'error' };

/** Makes the backend of this window, as the settings want it. It is started when it is first needed. */
export function backendOf({ extensionPath, extension }: vscode.ExtensionContext, log: Log): Backend {
    const { version } = extension.packageJSON as { version: string };
    const program = (): { command: string; cwd: string | undefined } => ({
        command: nonEmptyString(vscode.workspace.getConfiguration('envoy').get('adapterPath')) ?? path.join(extensionPath, 'bin', 'envoydbg'),
        cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
    });
    const greet = async (connection: MessageConnection): Promise<string> => {
        connection.onNotification('log', ({ level, message }: LogEntry) => {
            log[levels[level] ?? 'info'](message);
        });
        const hello: Hello = { version, folders: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath) };
        const { version: theirs, socket } = await connection.sendRequest<Welcome>('initialize', hello);
        // A build between two versions has its commit behind a "+".
        if (theirs.split('+')[0] !== version) {
            throw new FaultError({
                what: `${program().command} is envoydbg ${theirs}, and the extension needs ${version}.`,
                do: 'Let the setting envoy.adapterPath name that version, or leave it empty to use the one that comes with the extension.',
                setting: 'envoy.adapterPath',
            });
        }
        return socket;
    };
    return new Backend(program, greet, log);
}
