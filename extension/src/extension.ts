/**
 * The VS Code extension. It shows what envoydbg can do; it has no debugging logic:
 *
 *   F5 without launch.json ──▶ ConfigurationProvider ──▶ configuration
 *   ${command:envoy.pick…} ──▶ pickers ──▶ sidecar, process id, program
 *   launch.json + settings ──▶ AdapterFactory ──▶ VS Code connects to the backend's socket, and speaks DAP
 *   what the adapter says  ──▶ Sessions ──▶ status bar, contexts, errors with buttons, timeline
 *   the command palette    ──▶ commands ──▶ Backend ──JSON-RPC──▶ `envoydbg serve`, one process for the window
 */

import * as vscode from 'vscode';
import { AdapterFactory } from './adapterFactory';
import { renewWith } from './backend/renew';
import { backendOf } from './backend/start';
import { commands } from './commands';
import { ConfigurationProvider } from './configurationProvider';
import { offers } from './configurations';
import { Documents } from './documents';
import { Presenter } from './faults/presenter';
import { watchFaults } from './faults/watch';
import { findLldb } from './findLldb';
import { keepContexts } from './sessions/contexts';
import { StartupProgress } from './sessions/progress';
import { Sessions } from './sessions/sessions';
import { StatusBar } from './sessions/statusBar';
import { foundSidecars } from './sidecars/found';
import { PickedSidecar } from './sidecars/picked';
import { StandByStatus } from './standBy';
import { Timelines } from './timeline/timelines';

export function activate(context: vscode.ExtensionContext): void {
    const log = vscode.window.createOutputChannel('Envoy', { log: true });
    const standBy = new StandByStatus();
    const backend = backendOf(context, log, (now) => { standBy.show(now); });
    const presenter = new Presenter(context.extensionPath, log, () => findLldb(backend));
    const documents = new Documents();
    const timelines = new Timelines(presenter);
    const showFault = watchFaults(presenter);
    const progress = new StartupProgress();
    const sessions = new Sessions((session, message) => {
        progress.hear(session, message);
        showFault(session, message);
        timelines.hear(session, message);
    });
    const picked = new PickedSidecar(backend);
    const offered = offers(context.extension.packageJSON);
    const configurations = new ConfigurationProvider(offered, (token) => foundSidecars(backend, token));
    const factory = new AdapterFactory(backend, picked, presenter, log);
    const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
    context.subscriptions.push(
        ...[log, backend, standBy, documents, timelines, sessions, new StatusBar(sessions), progress.follow(sessions), keepContexts(sessions), renewWith(backend, sessions), standBy.follow(backend, presenter)],
        // Not for a new launch.json too, for which VS Code takes those of the manifest.
        vscode.debug.registerDebugConfigurationProvider('envoy', configurations, Dynamic),
        vscode.debug.registerDebugConfigurationProvider('envoy', factory),
        vscode.debug.registerDebugAdapterDescriptorFactory('envoy', factory),
        ...commands({ backend, sessions, documents, timelines, picked, presenter, log, extensionPath: context.extensionPath, offered, memory: context.workspaceState }),
    );
}
