import assert from 'node:assert/strict';
import { suite, test } from 'mocha';
import * as vscode from 'vscode';

interface Manifest {
    readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

suite('the extension', () => {
    test('does all that its manifest promises once it is active', async () => {
        const extension = vscode.extensions.getExtension<unknown>('envoydbg.envoydbg');
        assert.ok(extension);
        await extension.activate();
        const { contributes } = extension.packageJSON as Manifest;
        const known = await vscode.commands.getCommands(true);
        assert.deepEqual(contributes.commands.filter(({ command }) => !known.includes(command)), []);
    });
});
