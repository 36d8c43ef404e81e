import * as vscode from 'vscode';
import type { Backend } from './backend/backend';
import { FaultError } from './faults/fault';
import type { Presenter } from './faults/presenter';
import { launchArguments } from './sessions/arguments';
import type { PickedSidecar } from './sidecars/picked';

/** Lets each session be one of the backend's. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory, vscode.DebugConfigurationProvider {
    constructor(
        private readonly backend: Backend,
        private readonly picked: PickedSidecar,
        private readonly presenter: Presenter,
    ) {}

    /**
     * Completes a configuration, and cancels a session whose backend cannot be run, with an error that has buttons. It is
     * checked here because an error from createDebugAdapterDescriptor is shown in VS Code's own dialog, which has none.
     */
    async resolveDebugConfigurationWithSubstitutedVariables(
        folder: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        try {
            await this.backend.socket();
        } catch (error) {
            // Not awaited: the session is cancelled now, while the message stays until the user closes it.
            void this.presenter.notify(error instanceof FaultError ? error.fault : { what: (error as Error).message }, 'error');
            return undefined;
        }
        const lldbDap: unknown = vscode.workspace.getConfiguration('envoy', folder).get('lldbDap');
        return launchArguments(this.picked.complete(configuration), { folder: folder?.uri.fsPath, lldbDap });
    }

    async createDebugAdapterDescriptor(): Promise<vscode.DebugAdapterDescriptor> {
        return new vscode.DebugAdapterNamedPipeServer(await this.backend.socket());
    }
}
