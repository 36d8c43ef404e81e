/** The commands of the extension, by the names that package.json has for them. */

import * as vscode from 'vscode';
import type { Backend } from './backend/backend';
import type { Cluster } from './backend/protocol';
import type { Offer } from './configurations';
import { checkSetup } from './doctor/checkSetup';
import type { Documents } from './documents';
import { FaultError } from './faults/fault';
import type { Presenter } from './faults/presenter';
import { holdSidecar, release } from './hold/holdSidecar';
import type { Log } from './log';
import { pickProcess, pickProgram } from './pickers';
import { sendRequest } from './request/sendRequest';
import { startAgent, stopAgent } from './sessions/agentCommands';
import type { Sessions } from './sessions/sessions';
import type { PickedSidecar } from './sidecars/picked';
import { createLaunchConfiguration, debug, selectSidecar } from './sidecars/selectSidecar';
import { showSourceMap } from './sourcemap/showSourceMap';
import type { Timelines } from './timeline/timelines';

/** What the commands work with. */
export interface Parts {
    readonly backend: Backend;
    readonly sessions: Sessions;
    readonly documents: Documents;
    readonly timelines: Timelines;
    readonly picked: PickedSidecar;
    readonly presenter: Presenter;
    readonly log: Log;
    /** The configurations of the manifest. */
    readonly offered: readonly Offer[];
    /** What is kept for the workspace. */
    readonly memory: vscode.Memento;
}

/** Registers them. Each says why when it cannot work, also where it is called although package.json does not enable it. */
export function commands({ backend, sessions, documents, timelines, picked, presenter, log, offered, memory }: Parts): vscode.Disposable[] {
    const all: Record<string, () => Promise<void>> = {
        startAgent: () => startAgent(sessions),
        stopAgent: () => stopAgent(sessions),
        selectSidecar: () => selectSidecar(backend),
        createLaunchConfiguration: () => createLaunchConfiguration(backend, local(offered)),
        checkSetup: () => checkSetup(backend),
        showSourceMap: () => showSourceMap(backend, documents),
        showTimeline: () => timelines.show(),
        holdSidecar: () => holdSidecar(backend, debug),
        release: () => release(backend),
        sendRequest: () => sendRequest(backend, documents, memory),
        // The one of VS Code's two that it hides in a menu: which one depends on "request".
        disconnect: async () => { await vscode.commands.executeCommand('workbench.action.debug.disconnect'); },
        stop: async () => { await vscode.commands.executeCommand('workbench.action.debug.stop'); },
        showLog: () => {
            log.show();
            return Promise.resolve();
        },
    };
    return [
        ...Object.entries(all).map(([name, run]) => vscode.commands.registerCommand(`envoy.${name}`, () => presenter.run(run))),
        vscode.commands.registerCommand('envoy.pickProcess', pickProcess),
        vscode.commands.registerCommand('envoy.pickProgram', pickProgram),
        vscode.commands.registerCommand('envoy.pickSidecar', (configuration?: Cluster) => presenter.run(() => picked.pick(configuration))),
    ];
}

/** What the manifest has for a startup on this machine. */
function local(offered: readonly Offer[]): Offer['configuration'] {
    const found = offered.find(({ configuration: { target } }) => target === 'local');
    if (found === undefined) {
        throw new FaultError({ what: 'package.json offers no configuration for a startup on this machine.' });
    }
    return found.configuration;
}
