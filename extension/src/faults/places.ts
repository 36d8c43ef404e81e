import * as vscode from 'vscode';
import { attributeRange } from './launchJson';

/** A part of a file. */
export interface Place {
    readonly uri: vscode.Uri;
    readonly range: vscode.Range;
}

/** Returns where a configuration has an attribute, or would have it; undefined if it is written nowhere, such as one that the extension has made. */
export async function writtenAt(folder: vscode.WorkspaceFolder | undefined, name: string, attribute?: string): Promise<Place | undefined> {
    const files = [...(folder === undefined ? [] : [launchJson(folder)]), ...(vscode.workspace.workspaceFile?.scheme === 'file' ? [vscode.workspace.workspaceFile] : [])];
    for (const uri of files) {
        const document = await openIfThere(uri);
        const range = document && attributeRange(document.getText(), name, attribute);
        if (document !== undefined && range !== undefined) {
            return { uri, range: new vscode.Range(document.positionAt(range.offset), document.positionAt(range.offset + range.length)) };
        }
    }
    return undefined;
}

/** The file for the configurations of a folder. */
export function launchJson(folder: vscode.WorkspaceFolder): vscode.Uri {
    return vscode.Uri.joinPath(folder.uri, '.vscode', 'launch.json');
}

/** A file that is not there is no error. */
export async function openIfThere(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
    try {
        await vscode.workspace.fs.stat(uri);
    } catch {
        return undefined;
    }
    return vscode.workspace.openTextDocument(uri);
}
