import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Backend } from './backend/backend';
import type { StandBy } from './backend/protocol';
import type { Presenter } from './faults/presenter';

/** Shows which lldb-dap stands by for the next session, beside the language of C and C++ files, and only while there is one. */
export class StandByStatus implements vscode.Disposable {
    private item: vscode.LanguageStatusItem | undefined;

    dispose(): void {
        this.item?.dispose();
        this.item = undefined;
    }

    /** Ends what stands by once the setting wants none. Only a session begins another. */
    follow(backend: Backend, presenter: Presenter): vscode.Disposable {
        return vscode.workspace.onDidChangeConfiguration((change) => {
            if (change.affectsConfiguration('envoy.warm') && this.item !== undefined && turnedOff()) {
                void presenter.run(() => backend.request('dropStandBy', {}));
            }
        });
    }

    show({ state, program = '', memory = 0 }: StandBy): void {
        if (state === 'none') {
            this.dispose();
            return;
        }
        if (this.item === undefined) {
            this.item = vscode.languages.createLanguageStatusItem('envoy.standBy', [{ language: 'cpp' }, { language: 'c' }]);
            this.item.name = 'Envoy: Standing By';
            this.item.command = { title: 'Settings', command: 'workbench.action.openSettings', arguments: [{ query: '@id:envoy.warm' }] };
        }
        const reading = state === 'reading';
        const name = path.basename(program);
        this.item.busy = reading;
        this.item.text = reading ? `LLDB reads ${name}` : `LLDB stands by for ${name}`;
        this.item.detail = reading ? 'for the next session' : `${size(memory)} of memory`;
    }
}

/** Whether the setting is off, for the window or one of its folders. */
function turnedOff(): boolean {
    return [undefined, ...(vscode.workspace.workspaceFolders ?? [])].some((folder) => vscode.workspace.getConfiguration('envoy', folder).get('warm') === false);
}

/** A number of bytes: "1.2 GB", "26 MB". */
function size(bytes: number): string {
    return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
