import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { bystanders, onStage, type Setting } from './stage';
import { type Workbench } from './workbench';

const startup = 'Envoy: Debug Startup';
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
function project(home: string): Setting {
    const folder = join(home, 'project');
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

test('F5 in a C++ file without a launch.json offers ready configurations', { timeout: 300_000 }, async (t) => {
    await onStage(t, project, async ({ folder, workbench, screenshot }) => {
        await workbench.openFile('turns.cc');
        await workbench.setBreakpoint(7);

        const offered = await pressF5(workbench);
        await screenshot('choice');
        assert.deepEqual(offered.map(([label]) => label), [startup, attach, launch]);
        await workbench.choose('', launch);
        const programs = await workbench.choices('Program to Debug', 10);
        await screenshot('programs');
        assert.deepEqual(programs, [['bin/turns'], ['Another program…']]);
        await workbench.choose('', 'bin/turns');
        await stopsInTheLoop(workbench, folder);
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
    });
});
