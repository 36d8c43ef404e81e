/**
 * The VS Code extension. It tells VS Code how to start the debug adapter and what to start; it has no debugging logic:
 *
 *   F5 without launch.json ──▶ ConfigurationProvider ──▶ configuration
 *   ${command:envoy.pick…} ──▶ pickers ──▶ process id, program
 *   launch.json + settings ──▶ adapterCommand ──▶ AdapterFactory ──▶ VS Code starts `envoydbg dap`
 *   the adapter's phases   ──▶ AgentStarter ◀── the command Envoy: Start Agent
 */

import * as vscode from 'vscode';
import { AdapterFactory } from './adapterFactory';
import { AgentStarter } from './agentStarter';
import { ConfigurationProvider } from './configurationProvider';
import { offers } from './configurations';
import { pickProcess, pickProgram } from './pickers';

export function activate(context: vscode.ExtensionContext): void {
    const factory = new AdapterFactory(context.extensionPath);
    const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
    context.subscriptions.push(
        // Not for a new launch.json too, for which VS Code takes those of the manifest.
        vscode.debug.registerDebugConfigurationProvider('envoy', new ConfigurationProvider(offers(context.extension.packageJSON)), Dynamic),
        vscode.debug.registerDebugConfigurationProvider('envoy', factory),
        vscode.debug.registerDebugAdapterDescriptorFactory('envoy', factory),
        vscode.commands.registerCommand('envoy.pickProcess', pickProcess),
        vscode.commands.registerCommand('envoy.pickProgram', pickProgram),
        ...new AgentStarter().register(),
    );
}
