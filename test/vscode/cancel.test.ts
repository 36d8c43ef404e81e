import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { work } from './folders';
import { bystanders, type Setting, VSCode } from './stage';

const vscode = new VSCode();

/**
 * In which phase each configuration stays, and what VS Code says of it then. Nothing can stay in the phase "armed", which is the
 * wait for a fact; test/e2e cancels at the beginning of each phase, that one too.
 */
const stays = [
    { name: 'stays in preflight', says: 'preflight' },
    { name: 'stays in debug server', says: 'debug server' },
    { name: 'stays in symbols', says: 'symbols' },
    { name: 'waits for the user', says: 'waiting for you to start the agent' },
    { name: 'waits for Envoy', says: 'waiting for Envoy' },
    { name: 'stays in breakpoints', says: 'breakpoints' },
];

function slow(scratch: string): Setting {
    const lldbServer = join(scratch, 'lldb-server');
    // Says its version, which is asked for first, and then does nothing.
    writeFileSync(lldbServer, '#!/bin/sh\n[ "$1" = version ] && exec lldb-server-19 version\nexec sleep 600\n', { mode: 0o755 });
    // Nobody reads it, so it cannot be opened for writing.
    const unread = join(scratch, 'agent.log');
    execFileSync('mkfifo', [unread]);
    return {
        folder: work(join(scratch, 'proxy'), (sample) => {
            const [preflight, server, symbols, armed, envoy, breakpoints] = stays.map(({ name }) => ({ ...sample, name }));
            return [
                { ...preflight, agent: { ...sample.agent, output: unread } },
                { ...server, lldbServer },
                { ...symbols, initCommands: ['platform shell -t 600 -- sleep 600'] },
                { ...armed, agent: { ...sample.agent, start: 'manual' } },
                { ...envoy, agent: { ...sample.agent, command: ['sleep', '600'] } },
                { ...breakpoints, postRunCommands: ['platform shell -h -t 600 -- sleep 600'] },
            ];
        }),
    };
}

test('Cancel ends a startup in whatever phase it is, and leaves nothing', { timeout: 300_000 }, vscode.story(slow, async ({ folder, another, screenshot }) => {
    const window = await another({ folder });
    for (const { name, says } of stays) {
        await window.canStart(name, 60);
        await window.start(name);
        await window.progress(says).waitFor({ timeout: 30_000 });
        await screenshot(`cancel-${name.replaceAll(' ', '-')}`, window);
        await window.pressButton('Cancel');
        await window.sessionEnded(20);
        await onlyTheseRun(bystanders, 10);
        assert.deepEqual(await window.errorMessages(), [], 'what the user has cancelled is no error');
    }
    await window.close();
}));
