import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { type Offer, startable, withNumericPid } from './configurations';

/** Offers ready configurations where there is no launch.json: at F5 in a C++ file, and in the list "Select and Start Debugging". */
export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
    constructor(private readonly offers: readonly Offer[]) {}

    /** F5 without a launch.json comes here with an empty configuration. Undefined cancels the session. */
    async resolveDebugConfiguration(
        folder: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        if (Object.keys(configuration).length > 0) {
            return configuration;
        }
        const items = this.offers.map((offer) => ({ label: offer.configuration.name, detail: offer.description, offer }));
        const picked = await vscode.window.showQuickPick(items, { title: 'Debug', placeHolder: 'What to debug; a launch.json makes the choice permanent' });
        return picked && this.ready(picked.offer, folder);
    }

    resolveDebugConfigurationWithSubstitutedVariables(_: vscode.WorkspaceFolder | undefined, configuration: vscode.DebugConfiguration): vscode.DebugConfiguration {
        return withNumericPid(configuration);
    }

    async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
        if (folder === undefined && vscode.workspace.workspaceFolders !== undefined) {
            return []; // VS Code asks for each folder, and once more for none
        }
        return Promise.all(this.offers.map((offer) => this.ready(offer, folder)));
    }

    private async ready(offer: Offer, folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration> {
        return { ...(await startable(offer.configuration, folder?.uri.fsPath, exists)) };
    }
}

async function exists(path: string): Promise<boolean> {
    return fs.access(path).then(
        () => true,
        () => false,
    );
}
