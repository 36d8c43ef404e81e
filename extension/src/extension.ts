/**
 * The VS Code extension. It tells VS Code how to start the debug adapter and has no debugging logic:
 *
 *   launch.json + settings ──▶ adapterCommand ──▶ AdapterFactory ──▶ VS Code starts `envoydbg dap`
 */

import * as vscode from 'vscode';
import { AdapterFactory } from './adapterFactory';

export function activate(context: vscode.ExtensionContext): void {
    const factory = new AdapterFactory(context.extensionPath);
    context.subscriptions.push(
        vscode.debug.registerDebugConfigurationProvider('envoy', factory),
        vscode.debug.registerDebugAdapterDescriptorFactory('envoy', factory),
    );
}
