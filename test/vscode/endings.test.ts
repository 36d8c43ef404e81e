import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun, processes, until } from '../support/processes';
import { sampleIn, work } from './folders';
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
            end(pid);
        }
    }
    await onlyTheseRun(bystanders, 10);
}

/** Kills a process, which may have ended with another one by now. */
function end(pid: number): void {
    try {
        process.kill(pid, 'SIGKILL');
    } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
    }
}

/** The ids of the processes that run a program. */
function running(name: string): number[] {
    return processes().filter(({ program }) => basename(program) === name).map(({ pid }) => pid);
}

const envoy = (): number[] => running('envoy');

test('Restart begins again, Disconnect leaves Envoy running, and Stop ends it', { timeout: 300_000 }, vscode.story(tree, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.openFile('server.cc');
    const breakpoint = lineOf(join(folder, 'source/server/server.cc'), 'os.open(path.c_str()');
    await workbench.setBreakpoint(breakpoint);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    const [first] = envoy();
    const [agent] = running('pilot-agent');
    await screenshot('toolbar');
    await workbench.toolbar('Restart');
    await workbench.yellowLineGoes(30);
    await stopsInMain(workbench, folder);
    const [second, ...more] = envoy();
    assert.notEqual(second, first);
    assert.deepEqual(more, []);
    const agents = running('pilot-agent');
    assert.equal(agents.length, 1);
    assert.notDeepEqual(agents, [agent], 'the agent was started again');
    await workbench.press('F5');
    await workbench.yellowLineAt(join(folder, 'source/server/server.cc'), breakpoint, 20);

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

/** The number, from 1, of the first line of a file that has the text. */
function lineOf(file: string, text: string): number {
    const line = readFileSync(file, 'utf8').split('\n').findIndex((each) => each.includes(text)) + 1;
    assert.notEqual(line, 0, `${file} has no line with ${text}`);
    return line;
}

function again(scratch: string): Setting {
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name, restart: true }]) };
}

function warm(scratch: string): Setting {
    const setting = tree(scratch);
    standBy(setting.folder, true);
    return setting;
}

/** Sets the folder's setting. */
function standBy(folder: string, on: boolean): void {
    writeFileSync(join(folder, '.vscode/settings.json'), JSON.stringify({ 'envoy.warm': on }));
}

/** The command that does for a terminal what F5 does in a folder, and writes what it says to a file. */
function script(folder: string, out: string): string {
    const { program, envoyPath, agent } = sampleIn(folder);
    const [envoydbg] = processes().filter((each) => basename(each.program) === 'envoydbg');
    assert(envoydbg !== undefined, 'the window has a backend');
    const flags = Object.entries({ program, 'envoy-path': envoyPath, cwd: agent.cwd }).flatMap(([flag, value]) => [`--${flag}`, value]);
    const env = Object.entries(agent.env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]);
    const words = [envoydbg.program, 'run', ...flags, ...env, '-x', 'bt', '-x', 'quit', '--', ...agent.command];
    const file = join(folder, 'run.sh');
    writeFileSync(file, `${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')} >'${out}' 2>&1\n`);
    return `sh '${file}'; exit`;
}

test('an lldb-dap stands by for the next session, which takes it, until the setting is off', { timeout: 300_000 }, vscode.story(warm, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await workbench.languageStatus(/^LLDB stands by for envoy/, 60);
    await screenshot('stands-by');
    const ready = running('lldb-dap');
    assert.equal(ready.length, 1);

    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    assert.deepEqual(running('lldb-dap'), ready, 'it serves this session');
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await workbench.languageStatus(/^LLDB stands by for envoy/, 60);
    const next = running('lldb-dap');
    assert.notDeepEqual(next, ready, 'another one stands by');

    const out = join(folder, 'out.txt');
    await workbench.inTerminal(script(folder, out));
    await until('the session in the terminal ends', 60, () => existsSync(out) && readFileSync(out, 'utf8').includes('nothing is left running'));
    assert.match(readFileSync(out, 'utf8'), /✓ preflight .*lldb-dap .* that stood by, (.|\n)*● stopped at main/);
    await workbench.languageStatus(/^LLDB stands by for envoy/, 60);
    assert.notDeepEqual(running('lldb-dap'), next, 'the terminal has had that one');
    standBy(folder, false);
    await onlyTheseRun(bystanders, 10);
}));

test('with "restart" a session whose Envoy has ended begins again, three times in a row', { timeout: 300_000 }, vscode.story(again, async ({ folder, workbench }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    const seen: (number | undefined)[] = [];
    for (const begun of ['by F5', 'again', 'again', 'again']) {
        await stopsInMain(workbench, folder);
        const [pid, ...more] = envoy();
        assert(pid !== undefined && !seen.includes(pid), `${begun}: Envoy ${pid} is a new one`);
        assert.deepEqual(more, []);
        seen.push(pid);
        await workbench.press('F5');
        // Until then it stands still, and one that is killed there does not begin again.
        await workbench.yellowLineGoes(20);
        await workbench.status('Envoy: running').waitFor({ timeout: 20_000 });
        process.kill(pid, 'SIGKILL');
    }
    await workbench.sessionEnded(20);
    await workbench.console('The session does not begin again', 10);
    await onlyTheseRun(bystanders, 10);

    // What the user ends does not begin again. F5 begins the row anew.
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

test('a backend that is killed is told, leaves nothing, and the next F5 works', { timeout: 300_000 }, vscode.story(tree, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    const [backend, ...more] = running('envoydbg');
    assert(backend !== undefined);
    assert.deepEqual(more, [], 'a window has one backend');
    process.kill(backend, 'SIGKILL');
    const told = await workbench.error(20);
    assert.match(told, /The backend of Envoy: Debug Startup has ended \(.*SIGKILL.*\), and was started again\. Debug sessions of this window have ended with it\./);
    await workbench.sessionEnded(20);
    await screenshot('backend-killed');
    assert.deepEqual(envoy(), []);
    await onlyTheseRun(bystanders, 10);
    await workbench.dismissNotifications();

    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    await workbench.press('Shift+F5');
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
