/** The commands that lead from a sidecar to a configuration: Envoy: Select Sidecar and Envoy: Create Launch Configuration. */

import * as vscode from 'vscode';
import type { Backend } from '../backend/backend';
import type { Cluster } from '../backend/protocol';
import type { Configuration } from '../configurations';
import { withAttributes, withConfiguration } from '../configurationText';
import { type Written, writtenConfigurations } from '../configurationsOf';
import { FaultError } from '../faults/fault';
import { launchJson, openIfThere, writtenAt } from '../faults/places';
import { pickProgram } from '../pickers';
import { attributesOf, configurationFor, type Target } from './configuration';
import { type Choice, pickSidecar } from './pick';

interface Use extends vscode.QuickPickItem {
    readonly run: () => Promise<void>;
}

export async function selectSidecar(backend: Backend): Promise<void> {
    const choice = await pickSidecar(backend);
    if (choice === undefined) {
        return;
    }
    const uses: Use[] = [
        { label: '$(debug-start) Debug its startup', run: () => debug(choice.cluster, choice.sidecar) },
        ...writtenConfigurations()
            .filter(({ configuration: { target }, folder }) => typeof target === 'string' && target !== 'local' && folder !== undefined)
            .map((written): Use => ({ label: `$(edit) ${written.configuration.name}`, detail: `Let this configuration debug it, in place of ${String(written.configuration['target'])}`, run: () => retarget(written, choice) })),
        { label: '$(add) New configuration', detail: 'Write one into launch.json', run: () => write(choice) },
    ];
    const use = await vscode.window.showQuickPick(uses, { title: choice.sidecar.target, placeHolder: 'What to do with it' });
    await use?.run();
}

export async function createLaunchConfiguration(backend: Backend, local: Configuration): Promise<void> {
    folderToWrite(); // said before anything is asked
    const places = [
        { label: 'This machine', detail: 'pilot-agent and Envoy are processes of this machine.', cluster: false },
        { label: 'A cluster', detail: 'Envoy is a sidecar, chosen from a list.', cluster: true },
    ];
    const place = await vscode.window.showQuickPick(places, { title: 'Create Launch Configuration', placeHolder: 'Where Envoy runs' });
    if (place?.cluster === true) {
        const choice = await pickSidecar(backend);
        await (choice && write(choice));
    } else if (place !== undefined) {
        const program = await pickProgram();
        await (program === undefined ? undefined : add({ ...local, program: inFolder(program) }));
    }
}

/** Debugs the startup of a sidecar; VS Code asks for the program. */
export async function debug(cluster: Cluster, target: Target): Promise<void> {
    await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], { ...configurationFor(cluster, target, '${command:envoy.pickProgram}') });
}

async function write({ cluster, sidecar }: Choice): Promise<void> {
    folderToWrite();
    const program = await pickProgram();
    if (program !== undefined) {
        await add(configurationFor(cluster, sidecar, inFolder(program)));
    }
}

async function add(configuration: Configuration): Promise<void> {
    const folder = folderToWrite();
    const uri = launchJson(folder);
    const document = await openIfThere(uri);
    const text = withConfiguration(document?.getText(), configuration);
    await replace(uri, document, text);
    await show(folder, configuration.name);
}

async function retarget({ configuration, folder }: Written, { cluster, sidecar }: Choice): Promise<void> {
    const document = folder && (await openIfThere(launchJson(folder)));
    if (folder === undefined || document === undefined) {
        throw new FaultError({ what: `The configuration ${configuration.name} is not in a launch.json of this window, so it is not changed.` });
    }
    await replace(document.uri, document, withAttributes(document.getText(), configuration.name, attributesOf(cluster, sidecar)));
    await show(folder, configuration.name);
}

/** Changes the text of a file as an edit that the user can undo. A new file is saved, an open one with the user's changes is not. */
async function replace(uri: vscode.Uri, document: vscode.TextDocument | undefined, text: string): Promise<void> {
    const edit = new vscode.WorkspaceEdit();
    if (document === undefined) {
        edit.createFile(uri, { contents: Buffer.from(text) });
        await vscode.workspace.applyEdit(edit);
        return;
    }
    const save = !document.isDirty;
    edit.replace(uri, new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length)), text);
    await vscode.workspace.applyEdit(edit);
    if (save) {
        await document.save();
    }
}

async function show(folder: vscode.WorkspaceFolder, name: string): Promise<void> {
    const place = await writtenAt(folder, name);
    if (place !== undefined) {
        await vscode.window.showTextDocument(place.uri, { selection: place.range });
    }
}

/** The folder that gets a configuration. */
function folderToWrite(): vscode.WorkspaceFolder {
    const folder = vscode.workspace.workspaceFolders?.[0];
    if (folder === undefined) {
        throw new FaultError({ what: 'A launch configuration belongs to a folder, and none is open.', do: 'Open the folder with the sources of Envoy.' });
    }
    return folder;
}

/** A path as launch.json has it: what is in the folder is there for others, too. */
function inFolder(file: string): string {
    const root = `${folderToWrite().uri.fsPath}/`;
    return file.startsWith(root) ? `\${workspaceFolder}/${file.slice(root.length)}` : file;
}
