import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { bystanders, type Setting, VSCode } from './stage';
import { type Workbench } from './workbench';

const vscode = new VSCode((home) => {
    makePlayground(home);
    return {};
});

/** The folder that `make playground` makes, with nothing added. Making it again changes no file of the user's. */
function makePlayground(home: string): void {
    const folder = join(home, 'playground');
    const make = (): void => { execFileSync('test/setup/playground.sh', [folder], { stdio: ['ignore', 'ignore', 'inherit'] }); };
    make();
    appendFileSync(join(folder, 'README.md'), 'a note of mine\n');
    make();
    assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /a note of mine\n$/);
}

function playground(_: string, home: string): Setting {
    return { folder: join(home, 'playground') };
}

/** The yellow line is in MainCommon::main, in the file of the folder, and so is the call stack. */
async function stopsInMain(workbench: Workbench, folder: string): Promise<void> {
    const file = join(folder, 'source/exe/main_common.cc');
    const shown = await workbench.yellowLine(60);
    assert.equal(shown.file, file);
    assert.equal(shown.text, readFileSync(file, 'utf8').split('\n')[shown.line - 1]?.trim());
    const [top, caller] = await workbench.callStack(10);
    assert.match(top ?? '', new RegExp(`^Envoy::MainCommon::main\\(.*\\) main_common\\.cc ${shown.line}:`));
    assert.match(caller ?? '', /^main main\.cc /);
}

/** The text is a file of the Trace Event Format: rows with names, and what happened on them in the order of a startup. */
function isTraceEvents(text: string): void {
    const { traceEvents } = JSON.parse(text) as { traceEvents: { name: string; ph: string; ts: number; dur?: number; pid: number; tid: number; s?: string; args?: { name?: string } }[] };
    for (const event of traceEvents) {
        assert.ok(event.name !== '' && [event.ts, event.pid, event.tid].every(Number.isFinite), JSON.stringify(event));
        assert.ok(event.ph !== 'X' || Number(event.dur) > 0, JSON.stringify(event));
        assert.ok(event.ph !== 'i' || event.s === 'p', JSON.stringify(event));
    }
    const of = (ph: string): typeof traceEvents => traceEvents.filter((event) => event.ph === ph);
    assert.equal(of('M').length + of('X').length + of('i').length, traceEvents.length);
    const rows = of('M').filter(({ name }) => name === 'thread_name').map(({ tid }) => tid);
    const happened = [...of('X'), ...of('i')];
    assert.deepEqual(happened.filter(({ tid }) => !rows.includes(tid)), [], 'each row has a name');
    assert.deepEqual(of('X').map(({ name }) => name), ['preflight', 'debug server', 'symbols', 'armed', 'agent started', 'attached', 'breakpoints']);
    assert.deepEqual(of('X').map(({ ts }) => ts), of('X').map(({ ts }) => ts).sort((a, b) => a - b));
}

test('F5 in the playground shows the yellow line in main, in the local file', { timeout: 240_000 }, vscode.story(playground, async ({ folder, workbench, screenshot }) => {
    await workbench.canStart('Envoy: Debug Startup', 60);
    await workbench.press('F5');
    await stopsInMain(workbench, folder);
    const argc = await workbench.variable('argc', 10);
    assert.ok(Number(argc) > 1, `argc is ${argc}`);
    await screenshot('stopped');

    await workbench.exportTimeline('source');
    await workbench.progress('The startup has been written to envoy-startup.json.').waitFor();
    await screenshot('timeline');
    isTraceEvents(readFileSync(join(folder, 'envoy-startup.json'), 'utf8'));
    await workbench.press('Control+KeyW');

    const { line } = await workbench.yellowLine(5);
    await workbench.press('F10');
    await workbench.yellowLineBelow(line, 20);
    await workbench.press('F5');
    // What the agent and its Envoy write.
    await workbench.console('starting main dispatch loop', 30);
    await screenshot('running');

    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

test('an agent that is started by hand waits for the command Envoy: Start Agent', { timeout: 300_000 }, vscode.story(playground, async ({ folder, workbench, screenshot }) => {
    const name = 'Envoy: Debug Startup, agent started by hand';
    await workbench.canStart(name, 60);
    assert.deepEqual(await workbench.commands('Envoy: Start Agent'), [], 'no session waits yet');

    await workbench.start(name);
    await workbench.status('armed, waiting for Envoy: Start Agent').waitFor({ timeout: 60_000 });
    await screenshot('armed');
    assert.deepEqual(await workbench.commands('Envoy: Start Agent'), ['Envoy: Start Agent']);
    await workbench.run('Envoy: Start Agent');
    await stopsInMain(workbench, folder);
    await workbench.status('armed').waitFor({ state: 'hidden', timeout: 5_000 });
    assert.deepEqual(await workbench.commands('Envoy: Start Agent'), [], 'the agent has been started');
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);

    // The same by a click.
    await workbench.start(name);
    await workbench.status('armed, waiting for Envoy: Start Agent').click({ timeout: 60_000 });
    await stopsInMain(workbench, folder);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);

    // And by the button in the debug toolbar.
    await workbench.start(name);
    await workbench.status('armed, waiting for Envoy: Start Agent').waitFor({ timeout: 60_000 });
    await workbench.toolbar('Start Agent');
    await stopsInMain(workbench, folder);
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);

    // A session that is ended while it waits takes the offer with it.
    await workbench.start(name);
    await workbench.status('armed, waiting for Envoy: Start Agent').waitFor({ timeout: 60_000 });
    await workbench.press('Shift+F5');
    await workbench.status('armed').waitFor({ state: 'hidden', timeout: 20_000 });
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));

test('a released Envoy stops in main in the playground, too', { timeout: 240_000 }, vscode.story(playground, async ({ workbench, screenshot }) => {
    const name = 'Envoy: Debug Startup of a released Envoy';
    await workbench.canStart(name, 60);
    await workbench.start(name);
    const frames = await workbench.callStack(90);
    await screenshot('released-envoy');
    assert.ok(frames.some((frame) => frame.startsWith('__libc_start_call_main')), frames.join('\n'));
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
