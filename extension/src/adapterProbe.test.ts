import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { whyNoAdapter } from './adapterProbe';

let home: string;
before(() => {
    home = mkdtempSync(join(tmpdir(), 'envoydbg-probe-'));
});
after(() => {
    rmSync(home, { recursive: true });
});

function file(name: string, content: string | Buffer, mode = 0o755): string {
    const path = join(home, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
}

/** The header of an ELF executable for a processor that nobody has (machine 0x1234). */
const foreign = Buffer.alloc(64);
foreign.write('\x7fELF\x02\x01\x01', 'latin1');
foreign.writeUInt16LE(2, 16);
foreign.writeUInt16LE(0x1234, 18);

suite('what is to be the debug adapter', () => {
    test('is an envoydbg that says its version', async () => {
        assert.equal(await whyNoAdapter(file('envoydbg', '#!/bin/sh\necho envoydbg 1.0 go1.26 linux/amd64\n')), undefined);
    });

    for (const { what, path, says } of [
        { what: 'that does not exist', path: () => join(home, 'none'), says: /^does not exist\.$/ },
        { what: 'that is not executable', path: () => file('plain', '#!/bin/sh\n', 0o644), says: /^may not be executed:/ },
        { what: 'that is a folder', path: () => home, says: /^may not be executed: it is a folder/ },
        { what: 'for another processor', path: () => file('foreign', foreign), says: /^is no (?:program for this machine|envoydbg that runs on this machine \()/ },
        { what: 'whose interpreter is missing', path: () => file('script', '#!/nonexistent/sh\n'), says: /^does not exist\.$/ },
        { what: 'that is another one', path: () => '/bin/true', says: /^is no envoydbg that runs on this machine \(/ },
        { what: 'that fails', path: () => file('fails', '#!/bin/sh\necho "no libfoo" >&2\nexit 127\n'), says: /\(exit code 127: no libfoo\)\.$/ },
        { what: 'that is killed', path: () => file('killed', '#!/bin/sh\nkill -9 $$\n'), says: /^is no envoydbg that runs on this machine \(/ },
    ]) {
        test(`is no program ${what}`, async () => {
            assert.match((await whyNoAdapter(path())) ?? '', says);
        });
    }
});
