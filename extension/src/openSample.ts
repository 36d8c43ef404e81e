import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** The folder that a sample gets where the user has said. */
const name = 'envoy-sample';

/** Puts the sample that comes with the extension into a folder of the user's choice, and opens it. Files that are there stay. */
export async function openSample(extensionPath: string): Promise<void> {
    const [chosen] =
        (await vscode.window.showOpenDialog({
            canSelectFiles: false,
            canSelectFolders: true,
            title: `Where the Folder ${name} Is Made`,
            openLabel: 'Make the Sample Here',
        })) ?? [];
    if (chosen === undefined) {
        return;
    }
    const folder = join(chosen.fsPath, name);
    await fs.cp(join(extensionPath, 'sample'), folder, { recursive: true, force: false });
    const another = (vscode.workspace.workspaceFolders ?? []).length > 0;
    await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), { forceNewWindow: another });
}
