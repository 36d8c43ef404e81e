import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { CodeServer } from './codeServer';
import { Workbench } from './workbench';

const screenshots = 'out/screenshots';
const name = 'Envoy: Debug Startup';

test('F5 with a wrong envoy.log shows why there is no session', { timeout: 240_000 }, async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'envoydbg-vscode-'));
    const undo: (() => Promise<void> | void)[] = [() => { rmSync(home, { recursive: true, force: true }); }];
    t.after(async () => {
        for (const step of undo.reverse()) {
            await step();
        }
    });
    const folder = join(home, 'folder');
    mkdirSync(join(folder, '.vscode'), { recursive: true });
    const configuration = { name, type: 'envoy', request: 'launch', target: 'local', program: '/usr/local/bin/envoy' };
    writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ version: '0.2.0', configurations: [configuration] }));

    const codeServer = await CodeServer.start(home, 'out/envoydbg.vsix', { 'envoy.log': join(home, 'missing', 'log') }, {});
    undo.push(() => codeServer.stop());
    const workbench = await Workbench.open(codeServer.url, folder);
    undo.push(() => workbench.close());

    mkdirSync(screenshots, { recursive: true });
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    try {
        const shown = await workbench.error(30);
        assert.match(shown, /The file for the trace cannot be opened\./);
        assert.ok(shown.includes(`there is no folder ${join(home, 'missing')}`), shown);
        assert.match(shown, /envoy\.log/);
        assert.match(shown, /\[ED1012\]/);
        await workbench.screenshot(join(screenshots, 'cannot-serve.png'));
        await workbench.press('Escape');
        await workbench.sessionEnded(20);
        await onlyTheseRun(['dash', 'node', 'chromium', 'chrome_crashpad_handler'], 10);
    } catch (error) {
        await workbench.screenshot(join(screenshots, 'failed.png'));
        console.log(`Messages on the screen:\n${(await workbench.messages()).join('\n')}\ncode-server said:\n${codeServer.output()}`);
        throw error;
    }
});
