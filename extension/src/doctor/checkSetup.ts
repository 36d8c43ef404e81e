/** The command Envoy: Check Setup. */

import * as vscode from 'vscode';
import { ask } from '../backend/ask';
import type { Backend } from '../backend/backend';
import type { Configuration } from '../backend/protocol';
import { type Written, writtenConfigurations } from '../configurationsOf';
import { writtenAt } from '../faults/places';
import { pickSidecar } from '../sidecars/pick';
import { nonEmptyString } from '../strings';
import { withoutQuestions } from '../variables';
import { type Fix, rows } from './rows';

interface Subject extends vscode.QuickPickItem {
    /** Undefined if the user gives up. */
    readonly attributes: () => Promise<Record<string, unknown> | undefined>;
    readonly written?: Written;
}

/** Lets the user choose what to check, and shows the findings with their fixes. */
export async function checkSetup(backend: Backend): Promise<void> {
    const subject = await vscode.window.showQuickPick(subjects(backend), { title: 'Check Setup', placeHolder: 'What to check' });
    const attributes = await subject?.attributes();
    if (subject === undefined || attributes === undefined) {
        return;
    }
    const folder = subject.written?.folder ?? vscode.workspace.workspaceFolders?.[0];
    const lldbDap = nonEmptyString(vscode.workspace.getConfiguration('envoy', folder).get('lldbDap'));
    const params: Configuration = { attributes, ...(folder && { folder: folder.uri.fsPath }), ...(lldbDap !== undefined && { lldbDap }) };
    const { findings, failed } = await ask(backend, `checking ${subject.label}`, 'doctor', params);
    const list = vscode.window.createQuickPick<Row>();
    list.title = failed ? `${subject.label}: a session would not work` : `${subject.label}: a session would work`;
    list.placeholder = 'Choose a finding to mend it';
    list.matchOnDescription = true;
    list.matchOnDetail = true;
    list.ignoreFocusOut = true;
    list.items = rows(findings).map((row) => ({ ...row, buttons: row.fixes.map((fix) => ({ fix, ...looks[fix.kind] })) }));
    list.onDidTriggerItemButton(({ button }) => { void mend((button as FixButton).fix, subject.written); });
    list.onDidAccept(() => {
        const [fix] = list.selectedItems[0]?.fixes ?? [];
        if (fix !== undefined) {
            void mend(fix, subject.written);
        }
    });
    list.onDidHide(() => { list.dispose(); });
    list.show();
}

interface Row extends vscode.QuickPickItem {
    readonly fixes: readonly Fix[];
}

interface FixButton extends vscode.QuickInputButton {
    readonly fix: Fix;
}

const looks: Readonly<Record<Fix['kind'], vscode.QuickInputButton>> = {
    command: { iconPath: new vscode.ThemeIcon('copy'), tooltip: 'Copy Command' },
    attribute: { iconPath: new vscode.ThemeIcon('go-to-file'), tooltip: 'Open launch.json' },
};

async function mend(fix: Fix, written: Written | undefined): Promise<void> {
    if (fix.kind === 'command') {
        await vscode.env.clipboard.writeText(fix.command);
        void vscode.window.setStatusBarMessage('Copied: paste it into a terminal.', 5000);
        return;
    }
    const place = written && (await writtenAt(written.folder, written.configuration.name, fix.attribute));
    if (place === undefined) {
        await vscode.commands.executeCommand('workbench.action.debug.configure');
    } else {
        await vscode.window.showTextDocument(place.uri, { selection: place.range });
    }
}

function subjects(backend: Backend): Subject[] {
    const written = writtenConfigurations().map((each): Subject => ({
        label: each.configuration.name,
        detail: `The configuration${each.folder === undefined ? '' : ` in ${each.folder.name}`}`,
        written: each,
        attributes: () => Promise.resolve(withoutQuestions(each.configuration)),
    }));
    return [
        ...written,
        { label: 'This machine', detail: 'LLDB, permissions, and what is needed for any session', attributes: () => Promise.resolve({ target: 'local' }) },
        {
            label: 'A sidecar…',
            detail: 'One in a cluster, chosen from a list',
            attributes: async () => {
                const choice = await pickSidecar(backend);
                return choice && { ...choice.cluster, target: choice.sidecar.target, namespace: choice.sidecar.namespace, container: choice.sidecar.container };
            },
        },
    ];
}
