/** The configurations of the debug type that the user has written. */

import * as os from 'node:os';
import * as vscode from 'vscode';
import type { Configuration } from './configurations';
import { substituted } from './variables';

/** A configuration and the folder whose launch.json has it; undefined for the workspace's and the user's. */
export interface Written {
    readonly configuration: Configuration;
    readonly folder: vscode.WorkspaceFolder | undefined;
}

/** Returns those of all folders. Variables that need no question are substituted, as VS Code does it at F5. */
export function writtenConfigurations(): Written[] {
    const folders: (vscode.WorkspaceFolder | undefined)[] = [...(vscode.workspace.workspaceFolders ?? [])];
    return (folders.length === 0 ? [undefined] : folders).flatMap((folder) => {
        const all = vscode.workspace.getConfiguration('launch', folder).get<unknown>('configurations');
        const ours = Array.isArray(all) ? all.filter(isOurs) : [];
        return ours.map((configuration) => ({ configuration: substituted(configuration, { workspaceFolder: folder?.uri.fsPath, userHome: os.homedir(), env: process.env }), folder }));
    });
}

function isOurs(value: unknown): value is Configuration {
    const { type, name } = (value ?? {}) as Partial<Configuration>;
    return type === 'envoy' && typeof name === 'string';
}
