import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { work } from './folders';
import { bystanders, type Setting, VSCode } from './stage';

const name = 'Envoy: Debug Startup';
// The setting leads nowhere, until a story mends it.
const vscode = new VSCode(() => ({ settings: { 'envoy.lldbDap': '/nowhere/lldb-dap' } }));

/** A launch.json whose program is another build than the Envoy that runs. */
function wrong(scratch: string): Setting {
    const program = join(scratch, 'other');
    writeFileSync(`${program}.cc`, 'int main() {}\n');
    execFileSync('g++', ['-g', '-Wl,--build-id=sha1', `${program}.cc`, '-o', program]);
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name, program, lldbDap: resolve('bin/tools/lldb-19/bin/lldb-dap') }]) };
}

test('a program of another build is refused with both build-ids, and the button opens launch.json', { timeout: 240_000 }, vscode.story(wrong, async ({ workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    const shown = await workbench.error(60);
    await screenshot('wrong-build');
    assert.match(shown, /The local program is not the Envoy that will run\./);
    assert.equal(shown.match(/build-id [0-9a-f]/g)?.length, 2, shown);
    assert.match(shown, /\[ED1203\]/);
    await workbench.pressButton('Open launch.json');
    await workbench.openTab('launch.json');
    await workbench.sessionEnded(20);
    await workbench.console('[ED1203]', 10);
    await onlyTheseRun(bystanders, 10);
}));

function sampleTree(scratch: string): Setting {
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name }]) };
}

test('an lldb-dap that is not there is refused, and Find LLDB mends it', { timeout: 240_000 }, vscode.story(sampleTree, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    const shown = await workbench.error(60);
    assert.match(shown, /lldb-dap was not found\./);
    assert.match(shown, /\/nowhere\/lldb-dap: no such program/);
    await workbench.pressButton('Find LLDB');
    const found = await workbench.choices('LLDBs on This Machine', 20);
    await screenshot('find-lldb');
    const path = '/usr/bin/lldb-dap-19';
    assert.ok(found.some(([row = '']) => row.startsWith(path)), JSON.stringify(found));
    await workbench.choose('', path);
    await workbench.progress(`Configurations without the attribute "lldbDap" use ${path} now.`).waitFor({ timeout: 20_000 });
    await workbench.sessionEnded(20);

    await workbench.press('F5');
    assert.equal((await workbench.yellowLine(60)).file, join(folder, 'source/exe/main_common.cc'));
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
