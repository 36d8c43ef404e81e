import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { sampleAttributes } from '../support/sample';
import { CodeServer } from './codeServer';
import { Workbench } from './workbench';

const screenshots = 'out/screenshots';
const name = 'Envoy: Debug Startup';

test('F5 on "Envoy: Debug Startup" shows the yellow line in main, in the local file', { timeout: 240_000 }, async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'envoydbg-vscode-'));
    // What is to be undone, the last first; t.after() by itself has it the other way round.
    const undo: (() => Promise<void> | void)[] = [() => { rmSync(home, { recursive: true, force: true }); }];
    t.after(async () => {
        for (const step of undo.reverse()) {
            await step();
        }
    });

    // A user's work tree: the sources of Envoy, at another place than where they were compiled, and a launch.json.
    const workTree = join(home, 'envoy');
    cpSync('test/sample/source', join(workTree, 'source'), { recursive: true });
    mkdirSync(join(workTree, '.vscode'));
    const configuration = {
        ...{ name, type: 'envoy', request: 'launch', breakpointPresets: ['main'] },
        ...sampleAttributes(join(home, 'agent')),
    };
    writeFileSync(join(workTree, '.vscode', 'launch.json'), JSON.stringify({ version: '0.2.0', configurations: [configuration] }));

    const log = join(home, 'envoydbg.log');
    const codeServer = await CodeServer.start(home, 'out/envoydbg.vsix', {
        'envoy.lldbDap': resolve('bin/tools/lldb-19/bin/lldb-dap'),
        'envoy.log': log,
    });
    undo.push(() => codeServer.stop());
    const workbench = await Workbench.open(codeServer.url, workTree);
    undo.push(() => workbench.close());

    mkdirSync(screenshots, { recursive: true });
    try {
        await workbench.canStart(name, 60);
        await workbench.press('F5');

        const { file, line, text } = await workbench.yellowLine(30);
        await workbench.screenshot(join(screenshots, 'stopped.png'));
        assert.equal(file, join(workTree, 'source/exe/main_common.cc'));
        assert.equal(text, readFileSync(file, 'utf8').split('\n')[line - 1]?.trim());
        const [top, caller] = await workbench.callStack();
        assert.match(top ?? '', new RegExp(`^Envoy::MainCommon::main\\(.*\\) main_common\\.cc ${line}:`));
        assert.match(caller ?? '', /^main main\.cc /);

        await workbench.press('Shift+F5');
        await workbench.sessionEnded(20);
        // The test, code-server and the browser run on; nothing of the debug session does.
        await onlyTheseRun(['dash', 'node', 'chromium', 'chrome_crashpad_handler'], 10);
    } catch (error) {
        await workbench.screenshot(join(screenshots, 'failed.png'));
        console.log(`The screen is in ${join(screenshots, 'failed.png')}; messages on it:\n${(await workbench.messages()).join('\n')}`);
        console.log(existsSync(log) ? `The log of envoydbg:\n${readFileSync(log, 'utf8')}` : 'envoydbg wrote no log: it was not started.');
        console.log(`code-server said:\n${codeServer.output()}`);
        throw error;
    }
});
