import * as vscode from 'vscode';
import type { Backend } from './backend/backend';
import { FaultError } from './faults/fault';
import type { Presenter } from './faults/presenter';
import { withNumericPid } from './configurations';
import type { Log } from './log';
import type { PickedSidecar } from './sidecars/picked';
import { nonEmptyString } from './strings';

/** Lets each session be one of the backend's. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory, vscode.DebugConfigurationProvider {
    constructor(
        private readonly backend: Backend,
        private readonly picked: PickedSidecar,
        private readonly presenter: Presenter,
        private readonly log: Log,
    ) {}

    /**
     * Completes a configuration, and cancels a session whose backend cannot be run, with an error that has buttons. It is
     * checked here because an error from createDebugAdapterDescriptor is shown in VS Code's own dialog, which has none.
     */
    async resolveDebugConfigurationWithSubstitutedVariables(
        _: vscode.WorkspaceFolder | undefined,
        configuration: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        try {
            await this.backend.start();
        } catch (error) {
            // Not awaited: the session is cancelled now, while the message stays until the user closes it.
            void this.presenter.notify(error instanceof FaultError ? error.fault : { what: (error as Error).message }, 'error');
            return undefined;
        }
        return withNumericPid(this.picked.complete(configuration));
    }

    async createDebugAdapterDescriptor({ workspaceFolder }: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor> {
        const settings = vscode.workspace.getConfiguration('envoy', workspaceFolder);
        const lldbDap = nonEmptyString(settings.get('lldbDap'));
        const { socket } = await this.backend.request('open', {
            ...(workspaceFolder && { folder: workspaceFolder.uri.fsPath }),
            ...(lldbDap !== undefined && { lldbDap }),
            ...(settings.get('warm') === false && { cold: true }),
            trace: this.log.logLevel === vscode.LogLevel.Trace,
        });
        return new vscode.DebugAdapterNamedPipeServer(socket);
    }
}
