import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { work } from './folders';
import { bystanders, type Setting, VSCode } from './stage';

const name = 'Envoy: Debug Startup';
const vscode = new VSCode();

function untrusted(scratch: string): Setting {
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name }]), answer: 'do not trust' };
}

test('a folder whose authors are not trusted cannot run the debugger, and says why', { timeout: 240_000 }, vscode.story(untrusted, async ({ folder, workbench, screenshot }) => {
    await workbench.restricted(60);
    await workbench.openFile('main_common.cc');
    await workbench.press('F5');
    const question = await workbench.dialog(30);
    await screenshot('untrusted');
    assert.match(question, /trust/i);
    assert.match(question, /debug/i);
    await workbench.pressButton('Cancel');
    await onlyTheseRun(bystanders, 5);

    // It can when they are.
    await workbench.press('F5');
    await workbench.dialog(30);
    await workbench.pressButton('Trust Folder & Continue');
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    assert.equal((await workbench.yellowLine(60)).file, join(folder, 'source/exe/main_common.cc'));
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
