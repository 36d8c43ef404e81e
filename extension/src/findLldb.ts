import * as vscode from 'vscode';
import type { Backend } from './backend/backend';

/** Lets the user choose from the LLDBs of this machine, and keeps the choice in the setting envoy.lldbDap. */
export async function findLldb(backend: Backend): Promise<void> {
    const { debuggers } = await backend.request('debuggers', {});
    const usable = debuggers.filter(({ problem }) => problem === undefined);
    if (usable.length === 0) {
        const found = debuggers.map(({ path, problem = '' }) => `${path}: ${problem}`).join('; ');
        const command = 'sudo apt install lldb-19';
        const pressed = await vscode.window.showErrorMessage(
            `No lldb-dap of version 19 or newer is on this machine${found === '' ? '' : ` (${found})`}. Install it with your package manager, such as \`${command}\`, or from https://apt.llvm.org.`,
            'Copy Command',
        );
        if (pressed !== undefined) {
            await vscode.env.clipboard.writeText(command);
        }
        return;
    }
    const picked = await vscode.window.showQuickPick(
        usable.map(({ path, version = '' }) => ({ label: path, description: version })),
        { title: 'LLDBs on This Machine', placeHolder: 'Is written into the setting envoy.lldbDap' },
    );
    if (picked !== undefined) {
        await vscode.workspace.getConfiguration('envoy').update('lldbDap', picked.label, vscode.ConfigurationTarget.Global);
        void vscode.window.showInformationMessage(`Configurations without the attribute "lldbDap" use ${picked.label} now.`);
    }
}
