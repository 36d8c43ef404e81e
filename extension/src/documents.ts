import * as vscode from 'vscode';

const scheme = 'envoydbg';

/** Shows texts that are nobody's file. */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
    private readonly texts = new Map<string, string>();
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    private readonly registered = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
    readonly onDidChange = this.changed.event;

    dispose(): void {
        this.registered.dispose();
        this.changed.dispose();
    }

    provideTextDocumentContent(uri: vscode.Uri): string | undefined {
        return this.texts.get(uri.toString());
    }

    /** Shows a text in an editor, in place of the one of that title before. */
    async show(title: string, text: string): Promise<void> {
        const uri = vscode.Uri.from({ scheme, path: `/${title}` });
        this.texts.set(uri.toString(), text);
        this.changed.fire(uri);
        await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    }
}
