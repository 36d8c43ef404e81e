/** The variables ${command:envoy.pickProcess} and ${command:envoy.pickProgram} of a configuration. Undefined cancels the session. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { executables } from './executables';
import { processes } from './processes';

/** Lets the user choose a process, and returns its id. */
export async function pickProcess(): Promise<string | undefined> {
    const items = processes().then((all) =>
        all
            .filter(({ pid }) => pid !== process.pid)
            .map(({ pid, name, commandLine }) => ({ label: name, description: String(pid), detail: commandLine })),
    );
    const picked = await vscode.window.showQuickPick(items, {
        title: 'Attach to Process',
        placeHolder: 'Name, process id or command line',
        matchOnDescription: true,
        matchOnDetail: true,
    });
    return picked?.description;
}

/** Lets the user choose a program of the workspace, or any other, and returns its path. */
export async function pickProgram(): Promise<string | undefined> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const found = folder === undefined ? [] : await executables(folder.fsPath);
    if (folder !== undefined && found.length > 0) {
        const browse = { label: '$(folder-opened) Another program…', file: undefined };
        const items = [...found.map((file) => ({ label: path.relative(folder.fsPath, file), file })), browse];
        const picked = await vscode.window.showQuickPick(items, { title: 'Program to Debug', placeHolder: 'Programs of this folder, built last first' });
        if (picked !== browse) {
            return picked?.file;
        }
    }
    const [file] = (await vscode.window.showOpenDialog({ title: 'Program to Debug', openLabel: 'Debug', ...(folder && { defaultUri: folder }) })) ?? [];
    return file?.fsPath;
}
