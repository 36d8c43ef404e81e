import * as vscode from 'vscode';
import { ask } from '../backend/ask';
import type { Backend } from '../backend/backend';
import type { ProgramParams } from '../backend/protocol';
import { writtenConfigurations } from '../configurationsOf';
import type { Documents } from '../documents';
import { pickProgram } from '../pickers';
import { nonEmptyString } from '../strings';
import { sourceMapText } from './text';

interface Subject extends vscode.QuickPickItem {
    readonly params: () => Promise<ProgramParams | undefined>;
}

/** The command Envoy: Show Source Map. */
export async function showSourceMap(backend: Backend, documents: Documents): Promise<void> {
    const [only, ...more] = subjects();
    const subject = more.length === 0 ? only : await vscode.window.showQuickPick(subjects(), { title: 'Show Source Map', placeHolder: 'Of which program' });
    const params = await subject?.params();
    if (params === undefined) {
        return;
    }
    const report = await ask(backend, `reading the sources of ${params.program}`, 'sourceMap', params);
    await documents.show('Source Map', sourceMapText(report));
}

/** The programs of the configurations, and any other. */
function subjects(): Subject[] {
    const written = writtenConfigurations().flatMap(({ configuration, folder }): Subject[] => {
        const program = nonEmptyString(configuration['program']);
        const workTree = nonEmptyString(configuration['workTree']);
        if (program === undefined || program.includes('${')) {
            return [];
        }
        const params = { program, ...(workTree !== undefined && { workTree }), ...(folder && { folder: folder.uri.fsPath }) };
        return [{ label: configuration.name, detail: program, params: () => Promise.resolve(params) }];
    });
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    return [
        ...written,
        {
            label: '$(folder-opened) Another program…',
            params: async () => {
                const program = await pickProgram();
                return program === undefined ? undefined : { program, ...(folder !== undefined && { folder }) };
            },
        },
    ];
}
