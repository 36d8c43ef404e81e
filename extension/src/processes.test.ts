import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { processes } from './processes';

let proc: string;
beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'envoydbg-proc-'));
});
afterEach(() => {
    rmSync(proc, { recursive: true });
});

interface Given {
    pid: number;
    comm: string;
    started: number;
    cmdline: string;
    exe?: string;
}

/** Makes the folder of a process. */
function given({ pid, comm, started, cmdline, exe }: Given): void {
    const folder = join(proc, String(pid));
    mkdirSync(folder);
    const fields = ['S', ...Array.from({ length: 18 }, () => '7'), String(started), '4096'];
    writeFileSync(join(folder, 'stat'), `${pid} (${comm}) ${fields.join(' ')}\n`);
    writeFileSync(join(folder, 'cmdline'), cmdline);
    if (exe !== undefined) {
        symlinkSync(exe, join(folder, 'exe'));
    }
}

suite('the list of processes', () => {
    test('has the newest first, with program and command line', async () => {
        given({ pid: 10, comm: 'bash', started: 100, cmdline: '-bash\0', exe: '/usr/bin/bash' });
        given({ pid: 9, comm: 'envoy', started: 200, cmdline: '/usr/local/bin/envoy\0-c\0etc/a b.json\0', exe: '/usr/local/bin/envoy' });
        writeFileSync(join(proc, 'uptime'), '1 2');
        assert.deepEqual(await processes(proc), [
            { pid: 9, name: 'envoy', commandLine: '/usr/local/bin/envoy -c etc/a b.json' },
            { pid: 10, name: 'bash', commandLine: '-bash' },
        ]);
    });

    test('names a program whose file has been replaced', async () => {
        given({ pid: 9, comm: 'envoy', started: 1, cmdline: './envoy\0', exe: '/src/bazel-bin/envoy (deleted)' });
        assert.equal((await processes(proc))[0]?.name, 'envoy');
    });

    test('takes the kernel\'s name of a program that may not be read', async () => {
        given({ pid: 9, comm: 'we) 1 (ird', started: 1, cmdline: 'x\0' });
        assert.equal((await processes(proc))[0]?.name, 'we) 1 (ird');
    });

    test('leaves out what cannot be debugged: kernel threads, zombies, what has just ended', async () => {
        given({ pid: 2, comm: 'kthreadd', started: 0, cmdline: '' });
        mkdirSync(join(proc, '3'));
        assert.deepEqual(await processes(proc), []);
    });

    test('has what runs on this machine', async () => {
        const child = spawn('sleep', ['60']);
        await once(child, 'spawn');
        const found = (await processes()).find(({ pid }) => pid === child.pid);
        child.kill();
        assert.deepEqual(found, { pid: child.pid, name: 'sleep', commandLine: 'sleep 60' });
    });
});
