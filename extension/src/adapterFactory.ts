import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { type AdapterCommand, adapterCommand, type Configuration } from './adapterCommand';

/** Starts the debug adapter of each session as a process of its own. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory, vscode.DebugConfigurationProvider {
    constructor(private readonly extensionPath: string) {}

    /**
     * Refuses a session that has no adapter to run, with a button that opens the setting. This is done before the session
     * begins, since an error of createDebugAdapterDescriptor is shown in a dialog of VS Code's own, without our button.
     */
    async resolveDebugConfigurationWithSubstitutedVariables(
        folder: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        const { command } = this.commandFor(configuration, folder);
        try {
            await fs.access(command, fs.constants.X_OK);
        } catch {
            // Not awaited: the notification stays until the user answers it, the session ends now.
            void offerSetting(`There is no program envoydbg at ${command}.`);
            return undefined;
        }
        return configuration;
    }

    createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
        const { command, args } = this.commandFor(session.configuration, session.workspaceFolder);
        return new vscode.DebugAdapterExecutable(command, [...args]);
    }

    private commandFor(configuration: Configuration, folder: vscode.WorkspaceFolder | undefined): AdapterCommand {
        const settings = vscode.workspace.getConfiguration('envoy', folder);
        return adapterCommand(
            configuration,
            {
                adapterPath: settings.get('adapterPath', ''),
                lldbDap: settings.get('lldbDap', ''),
                log: settings.get('log', ''),
                workspaceFolder: folder?.uri.fsPath ?? '',
            },
            this.extensionPath,
        );
    }
}

async function offerSetting(message: string): Promise<void> {
    const open = 'Open Setting';
    if ((await vscode.window.showErrorMessage(message, open)) === open) {
        await vscode.commands.executeCommand('workbench.action.openSettings', 'envoy.adapterPath');
    }
}
