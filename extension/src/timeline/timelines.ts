import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { FaultError } from '../faults/fault';
import type { Presenter } from '../faults/presenter';
import { set } from '../sessions/contexts';
import type { Message } from '../sessions/state';
import { page } from './page';
import { isTimeline, type Timeline } from './timeline';

/** The command Envoy: Show Startup Timeline. It keeps the last startup's timeline of this window, which the adapter sends when the startup is over. */
export class Timelines implements vscode.Disposable {
    private last: { readonly name: string; readonly timeline: Timeline } | undefined;
    private panel: vscode.WebviewPanel | undefined;

    constructor(private readonly presenter: Presenter) {}

    dispose(): void {
        this.panel?.dispose();
    }

    /** Hears what a session's adapter says. */
    hear({ name }: vscode.DebugSession, message: Message): void {
        if (!isTimeline(message)) {
            return;
        }
        this.last = { name, timeline: message.body };
        set('envoy.hasTimeline', true);
        this.draw();
    }

    show(): Promise<void> {
        if (this.last === undefined) {
            throw new FaultError({ what: 'No startup has been debugged in this window, so there is no timeline.', do: 'Start a configuration with a "target".' });
        }
        if (this.panel === undefined) {
            this.panel = vscode.window.createWebviewPanel('envoy.timeline', 'Startup Timeline', vscode.ViewColumn.Active, { enableScripts: true });
            this.panel.onDidDispose(() => { this.panel = undefined; });
            this.panel.webview.onDidReceiveMessage(() => { void this.presenter.run(() => this.export()); });
        }
        this.draw();
        this.panel.reveal();
        return Promise.resolve();
    }

    private draw(): void {
        if (this.panel !== undefined && this.last !== undefined) {
            this.panel.webview.html = page(this.last.name, this.last.timeline, randomUUID());
        }
    }

    /** Writes the trace-event file, which ui.perfetto.dev and chrome://tracing open. */
    private async export(): Promise<void> {
        const events = this.last?.timeline.traceEvents;
        const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
        const uri = await vscode.window.showSaveDialog({
            title: 'Export for Perfetto',
            filters: { 'Trace events': ['json'] },
            ...(folder && { defaultUri: vscode.Uri.joinPath(folder, 'envoy-startup.json') }),
        });
        if (uri !== undefined) {
            await vscode.workspace.fs.writeFile(uri, Buffer.from(JSON.stringify({ traceEvents: events })));
            void vscode.window.showInformationMessage(`The startup has been written to ${vscode.workspace.asRelativePath(uri)}. Open it at ui.perfetto.dev.`);
        }
    }
}
