import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Log } from '../log';
import { type Button, buttons } from './buttons';
import { detail, type Fault, FaultError, line, text } from './fault';
import { anchor } from './page';
import { type Place, writtenAt } from './places';

/** What an error is about. */
export interface About {
    readonly configuration: string;
    readonly folder: vscode.WorkspaceFolder | undefined;
}

/** Shows errors with the buttons that mend them. */
export class Presenter {
    /**
     * @param extensionPath the folder of the extension, which contains the documentation
     * @param findLldb lets the user choose from the LLDBs of this machine
     */
    constructor(
        private readonly extensionPath: string,
        private readonly log: Log,
        private readonly findLldb: () => Promise<void>,
    ) {}

    /** Shows an error in a dialog, as what the user has asked for and cannot have. It is awaited no longer than the user needs. */
    async dialog(fault: Fault, about?: About): Promise<void> {
        this.log.error(text(fault));
        await this.show(fault, about, (items) => vscode.window.showErrorMessage(fault.what, { modal: true, detail: detail(fault) }, ...items));
    }

    /** Shows an error, or a warning, in a notification. */
    async notify(fault: Fault, severity: 'error' | 'warning', about?: About): Promise<void> {
        const [write, show] = severity === 'error' ? [this.log.error.bind(this.log), vscode.window.showErrorMessage] : [this.log.warn.bind(this.log), vscode.window.showWarningMessage];
        write(text(fault));
        await this.show(fault, about, (items) => show(line(fault), ...items));
    }

    /** Runs what a command does, and shows why it cannot; then the result is undefined. */
    async run<T>(what: () => Promise<T>): Promise<T | undefined> {
        try {
            return await what();
        } catch (error) {
            if (!(error instanceof vscode.CancellationError)) {
                void this.notify(error instanceof FaultError ? error.fault : { what: (error as Error).message }, 'error');
            }
            return undefined;
        }
    }

    private async show(fault: Fault, about: About | undefined, ask: (items: Button[]) => Thenable<Button | undefined>): Promise<void> {
        const place = about && fault.attribute !== undefined ? await writtenAt(about.folder, about.configuration, fault.attribute) : undefined;
        const pressed = await ask(buttons(fault, place !== undefined));
        if (pressed !== undefined) {
            await this.press(pressed, fault, place);
        }
    }

    private async press(button: Button, { setting, command, page }: Fault, place: Place | undefined): Promise<void> {
        switch (button) {
            case 'Find LLDB':
                return this.findLldb();
            case 'Open launch.json':
                if (place !== undefined) {
                    await vscode.window.showTextDocument(place.uri, { selection: place.range });
                }
                return;
            case 'Open Setting':
                await openSetting(setting ?? '');
                return;
            case 'Copy Command':
                return vscode.env.clipboard.writeText(command ?? '');
            case 'Explain':
                await this.explain(page ?? '');
                return;
            case 'Show Log':
                this.log.show();
        }
    }

    /** Opens a section of the documentation that comes with the extension. */
    private async explain(page: string): Promise<void> {
        const [file = '', section = ''] = page.split('#');
        const uri = vscode.Uri.file(path.join(this.extensionPath, file));
        const fragment = anchor((await vscode.workspace.openTextDocument(uri)).getText(), section);
        await vscode.commands.executeCommand('markdown.showPreview', uri.with({ fragment }));
    }
}

/** Shows a setting where it counts: the extension's are the machine's, which in a remote window has settings of its own. */
async function openSetting(setting: string): Promise<void> {
    const of = vscode.env.remoteName === undefined ? 'openSettings' : 'openRemoteSettings';
    await vscode.commands.executeCommand(`workbench.action.${of}`, { query: `@id:${setting}` });
}
