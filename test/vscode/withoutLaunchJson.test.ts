import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { onlyTheseRun, processes } from '../support/processes';
import { envoyTree } from '../support/sample';
import { bystanders, type Setting, VSCode } from './stage';
import { type Workbench } from './workbench';

const vscode = new VSCode((home) => {
    // VS Code takes the PATH that a login shell has.
    writeFileSync(join(home, '.profile'), `PATH='${resolve('bin/tools')}':$PATH\n`);
    return { env: envoyTree(proxy(home)) };
});

function proxy(home: string): string {
    return join(home, 'proxy');
}

/** A work tree of Envoy's; pilot-agent is in the PATH. */
function work(_: string, home: string): Setting {
    rmSync(join(proxy(home), '.vscode'), { recursive: true, force: true });
    return { folder: proxy(home) };
}

const startup = 'Envoy: Debug Startup';
const kubernetes = 'Envoy: Debug Startup in Kubernetes';
const attach = 'Envoy: Attach to Process';
const launch = 'Envoy: Launch Program';

/** A small program of the user's, in a folder without launch.json. */
const source = `#include <unistd.h>

volatile int turns = 0;

int main() {
  for (;;) {
    turns = turns + 1;
    usleep(10000);
  }
}
`;

/** Makes the folder "project" with turns.cc and, built from it, bin/turns. */
function project(scratch: string): Setting {
    const folder = join(scratch, 'project');
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'turns.cc'), source);
    execFileSync('g++', ['-g', '-O0', 'turns.cc', '-o', 'bin/turns'], { cwd: folder });
    return { folder };
}

/** Opens turns.cc, presses F5 and returns what VS Code offers. */
async function pressF5(workbench: Workbench): Promise<string[][]> {
    await workbench.press('F5');
    return workbench.choices('Debug', 60);
}

/** The yellow line is in the loop of turns.cc. */
async function stopsInTheLoop(workbench: Workbench, folder: string): Promise<void> {
    const { file, text } = await workbench.yellowLine(30);
    assert.equal(file, join(folder, 'turns.cc'));
    assert.equal(text, 'turns = turns + 1;');
}

test('F5 in a C++ file without a launch.json offers ready configurations', { timeout: 300_000 }, vscode.story(project, async ({ t, folder, workbench, screenshot }) => {
    await workbench.openFile('turns.cc');
    await workbench.setBreakpoint(7);

    const offered = await pressF5(workbench);
    await screenshot('choice');
    assert.deepEqual(offered.map(([label]) => label), [startup, kubernetes, attach, launch]);
    await workbench.choose('', launch);
    const programs = await workbench.choices('Program to Debug', 10);
    await screenshot('programs');
    assert.deepEqual(programs, [['bin/turns'], ['Another program…']]);
    await workbench.choose('', 'bin/turns');
    await stopsInTheLoop(workbench, folder);
    // A plain session is lldb-dap's own, its restart too: the same breakpoint in another process.
    const turns = (): number[] => processes().filter(({ program }) => basename(program) === 'turns').map(({ pid }) => pid);
    const [first] = turns();
    await workbench.toolbar('Restart');
    // The yellow line may be back before anybody sees that it was gone.
    for (const deadline = Date.now() + 20_000; turns().length === 0 || turns().includes(first ?? 0);) {
        assert.ok(Date.now() < deadline, `${turns().join(', ')} run after ${first}`);
        await delay(50);
    }
    await workbench.yellowLineAt(join(folder, 'turns.cc'), 7, 30);
    const [second, ...more] = turns();
    assert.deepEqual(more, []);
    assert(second !== undefined && second !== first, `${first} was followed by ${second}`);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);

    const running = spawn(join(folder, 'bin/turns'), ['--from', 'the test'], { stdio: 'ignore' });
    t.after(() => running.kill());
    await once(running, 'spawn');
    await pressF5(workbench);
    await workbench.choose('', attach);
    await workbench.choices('Attach to Process', 10);
    await screenshot('processes');
    await workbench.choose('from the test', 'turns');
    await stopsInTheLoop(workbench, folder);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun([...bystanders, 'turns'], 10);
    assert.equal(running.exitCode ?? running.signalCode, null, 'a process that was attached to runs on');
}));

test('F5 in a C++ file of Envoy\'s debugs its startup', { timeout: 300_000 }, vscode.story(work, async ({ folder, workbench, screenshot }) => {
    await workbench.openFile('main_common.cc');
    await pressF5(workbench);
    await workbench.choose('', startup);
    const { file } = await workbench.yellowLine(60);
    await screenshot('startup');
    assert.equal(file, join(folder, 'source/exe/main_common.cc'));
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

test('the list of configurations and a new launch.json have the same ones', { timeout: 300_000 }, vscode.story(work, async ({ folder, workbench, screenshot }) => {
    await workbench.openFile('main_common.cc');
    // VS Code adds dots to what an extension finds by itself.
    await workbench.canStart(`${startup}...`, 60);
    await workbench.start(`${startup}...`);
    const offered = await workbench.picks(attach, 30);
    await screenshot('list');
    assert.deepEqual(offered, [startup, kubernetes, attach, launch]);
    await workbench.press('Escape');

    await workbench.createLaunchJson();
    await workbench.openTab('launch.json');
    await screenshot('launch-json');
    const written = readFileSync(join(folder, '.vscode/launch.json'), 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
    const { configurations } = JSON.parse(written) as { configurations: { name: string }[] };
    assert.deepEqual(configurations.map(({ name }) => name), [startup, kubernetes, attach, launch]);

    // With it, F5 asks no more.
    await workbench.canStart(startup, 30);
    await workbench.press('F5');
    await workbench.yellowLine(60);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
