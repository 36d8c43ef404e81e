import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun, processes } from '../support/processes';
import { work } from './folders';
import { bystanders, type Setting, VSCode } from './stage';
import { type Workbench } from './workbench';

const name = 'Envoy: Debug Startup';
const vscode = new VSCode();

function tree(scratch: string): Setting {
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name }]) };
}

async function stopsInMain(workbench: Workbench, folder: string): Promise<void> {
    const { file, line, text } = await workbench.yellowLine(60);
    assert.equal(file, join(folder, 'source/exe/main_common.cc'));
    assert.equal(text, readFileSync(file, 'utf8').split('\n')[line - 1]?.trim());
}

/** Ends what a session has left running, as the user would in a terminal. */
async function endByHand(): Promise<void> {
    for (const { pid, program } of processes()) {
        if (!bystanders.includes(basename(program))) {
            process.kill(pid, 'SIGKILL');
        }
    }
    await onlyTheseRun(bystanders, 10);
}

test('Restart begins again, Disconnect leaves Envoy running, and Stop ends it', { timeout: 300_000 }, vscode.story(tree, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    const envoy = (): number[] => processes().filter(({ program }) => basename(program) === 'envoy').map(({ pid }) => pid);
    const [first] = envoy();
    await screenshot('toolbar');
    await workbench.toolbar('Restart');
    await workbench.yellowLineGoes(30);
    await stopsInMain(workbench, folder);
    const [second, ...more] = envoy();
    assert.notEqual(second, first);
    assert.deepEqual(more, []);

    await workbench.toolbar('Disconnect');
    await workbench.sessionEnded(20);
    assert.deepEqual(envoy(), [second], 'Envoy runs on');
    await endByHand();

    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    await workbench.toolbar('Stop');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

function two(scratch: string): Setting {
    work(join(scratch, 'other'), (sample) => [{ ...sample, name }]);
    return tree(scratch);
}

test('two windows debug two startups at once', { timeout: 300_000 }, vscode.story(two, async ({ folder, workbench, another, screenshot }) => {
    const other = join(folder, '../other');
    const remaining = await another({ folder: other });
    const windows = [{ window: workbench, folder }, { window: remaining, folder: other }];
    await Promise.all(windows.map(({ window }) => window.canStart(name, 60)));
    await Promise.all(windows.map(({ window }) => window.press('F5')));
    await Promise.all(windows.map(({ window, folder: own }) => stopsInMain(window, own)));
    await screenshot('second-window', remaining);

    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    // The end of one is none of the other's business.
    const { line } = await remaining.yellowLine(5);
    await remaining.press('F10');
    assert.equal((await remaining.yellowLineBelow(line, 20)).file, join(other, 'source/exe/main_common.cc'));
    await remaining.press('Shift+F5');
    await remaining.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

test('what runs ends with the window', { timeout: 240_000 }, vscode.story(tree, async ({ folder, workbench }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    await workbench.close();
    await onlyTheseRun(bystanders, 30);
}));
