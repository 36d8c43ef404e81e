import * as vscode from 'vscode';
import { type AdapterCommand, adapterCommand, type Configuration } from './adapterCommand';
import { whyNoAdapter } from './adapterProbe';

/** Starts the debug adapter of each session as a process of its own. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory, vscode.DebugConfigurationProvider {
    constructor(private readonly extensionPath: string) {}

    /**
     * Cancels a session whose adapter cannot be run, and shows an error with a button that opens the setting. It is checked
     * here because an error from createDebugAdapterDescriptor is shown in VS Code's own dialog, which has no such button.
     * What else keeps an adapter from serving, such as a wrong envoy.log, it says itself in the answer to its first request.
     */
    async resolveDebugConfigurationWithSubstitutedVariables(
        folder: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        const { command } = this.commandFor(configuration, folder);
        const why = await whyNoAdapter(command);
        if (why === undefined) {
            return configuration;
        }
        // Not awaited: the session is cancelled now, while the notification stays until the user closes it.
        void offerSetting(`The debug adapter ${command} ${why}`);
        return undefined;
    }

    createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
        const { command, args, cwd } = this.commandFor(session.configuration, session.workspaceFolder);
        return new vscode.DebugAdapterExecutable(command, [...args], cwd === undefined ? {} : { cwd });
    }

    private commandFor(configuration: Configuration, folder: vscode.WorkspaceFolder | undefined): AdapterCommand {
        const settings = vscode.workspace.getConfiguration('envoy', folder);
        return adapterCommand(
            configuration,
            {
                adapterPath: settings.get('adapterPath'),
                lldbDap: settings.get('lldbDap'),
                log: settings.get('log'),
                workspaceFolder: folder?.uri.fsPath,
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
