import * as fs from 'node:fs/promises';
import * as vscode from 'vscode';
import { type Configuration, type Offer, startable } from './configurations';

/** How long the list "Select and Start Debugging" waits for the sidecars of a cluster. */
const limit = 3000;

/** Offers ready configurations where there is no launch.json: at F5 in a C++ file, and in the list "Select and Start Debugging". */
export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
    /**
     * @param offers those that are always there
     * @param sidecars finds those for the sidecars of the cluster
     */
    constructor(
        private readonly offers: readonly Offer[],
        private readonly sidecars: (token: vscode.CancellationToken) => Promise<Configuration[]>,
    ) {}

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
        return picked && this.ready(picked.offer.configuration, folder);
    }

    async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
        if (folder === undefined && vscode.workspace.workspaceFolders !== undefined) {
            return []; // VS Code asks for each folder, and once more for none
        }
        const all = [...this.offers.map(({ configuration }) => configuration), ...(await this.inTime())];
        return Promise.all(all.map((configuration) => this.ready(configuration, folder)));
    }

    /** The configurations for sidecars, if they are found before the user waits: a cluster may be far away, or not there. */
    private async inTime(): Promise<Configuration[]> {
        const source = new vscode.CancellationTokenSource();
        let late: NodeJS.Timeout | undefined;
        const none = new Promise<Configuration[]>((resolve) => {
            late = setTimeout(() => {
                source.cancel();
                resolve([]);
            }, limit);
        });
        try {
            // A list of what can be started is no place to say why there is no cluster.
            return await Promise.race([this.sidecars(source.token).catch(() => []), none]);
        } finally {
            clearTimeout(late);
            source.dispose();
        }
    }

    private async ready(configuration: Configuration, folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration> {
        return { ...(await startable(configuration, folder?.uri.fsPath, exists)) };
    }
}

async function exists(path: string): Promise<boolean> {
    return fs.access(path).then(
        () => true,
        () => false,
    );
}
