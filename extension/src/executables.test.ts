import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { executables } from './executables';

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'envoydbg-executables-'));
});
afterEach(() => {
    rmSync(folder, { recursive: true });
});

function file(name: string, { content = '\x7fELF…', mode = 0o755, built = 1000 } = {}): void {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    utimesSync(path, built, built);
}

suite('the programs of a folder', () => {
    test('are its ELF files that can be executed, built last first', async () => {
        file('bin/old', { built: 1000 });
        file('build/debug/src/new', { built: 2000 });
        file('run.sh', { content: '#!/bin/sh' });
        file('empty', { content: '' });
        file('main.o', { mode: 0o644 });
        file('lib/libx.so');
        file('lib/libx.so.1');
        assert.deepEqual(await executables(folder), [join(folder, 'build/debug/src/new'), join(folder, 'bin/old')]);
    });

    test('are found through Bazel\'s link bazel-bin, and once', async () => {
        file('elsewhere/.hidden/envoy');
        file('.git/hooks/x');
        symlinkSync(join(folder, 'elsewhere/.hidden'), join(folder, 'bazel-bin'));
        symlinkSync(join(folder, 'elsewhere/.hidden'), join(folder, 'bazel-out'));
        assert.deepEqual(await executables(folder), [join(folder, 'bazel-bin/envoy')]);
    });

    test('are none where there is no such folder', async () => {
        assert.deepEqual(await executables(join(folder, 'nothing')), []);
    });
});
