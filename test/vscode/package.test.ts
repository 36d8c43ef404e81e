import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';

/** The folders of what was packaged, by kind of machine: that of this machine, and others where `make vsix-all` has been run. */
const laidOut = 'out/vsix';
const kinds = existsSync(laidOut) ? readdirSync(laidOut) : [];

/** What a program's header says it is for: ELF's e_machine, or Mach-O's cputype. */
function machineOf(program: string): string {
    const head = readFileSync(program).subarray(0, 20);
    const elf: Record<number, string> = { 0x3e: 'linux-x64', 0xb7: 'linux-arm64' };
    const macho: Record<number, string> = { 0x01000007: 'darwin-x64', 0x0100000c: 'darwin-arm64' };
    return (head.readUInt32BE(0) === 0x7f454c46 ? elf[head.readUInt16LE(18)] : macho[head.readUInt32LE(4)]) ?? 'unknown';
}

suite('the package', () => {
    test('is there for this machine', () => {
        const kind = `${process.platform}-${process.arch}`;
        assert.ok(kinds.includes(kind), `${kind} is not in ${laidOut}: ${kinds.join(', ')}`);
    });

    for (const kind of kinds) {
        const folder = join(laidOut, kind);

        test(`for ${kind} has the programs for it, and both helpers`, () => {
            const programs = { envoydbg: kind, 'envoydbg-helper-linux-amd64': 'linux-x64', 'envoydbg-helper-linux-arm64': 'linux-arm64' };
            assert.deepEqual(readdirSync(join(folder, 'bin')).sort(), Object.keys(programs).sort());
            for (const [name, machine] of Object.entries(programs)) {
                const path = join(folder, 'bin', name);
                assert.equal(machineOf(path), machine, name);
                assert.equal(statSync(path).mode & 0o111, 0o111, `${name} can be run`);
            }
        });

        test(`for ${kind} has what its pages and its manifest lead to`, () => {
            const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
            const links = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to]) => to ?? '');
            const media = [...manifest.matchAll(/"(?:icon|markdown|svg|main)": "([^"$(]+)"/g)].map(([, to]) => to ?? '');
            assert.ok(links.length > 0 && media.length > 0);
            assert.deepEqual([...links, ...media].filter((to) => !existsSync(join(folder, to))), []);
        });
    }

    test('of one commit has the same bytes each time', () => {
        const kind = `${process.platform}-${process.arch}`;
        const file = `out/envoydbg-${kind}.vsix`;
        const before = readFileSync(file);
        const made = execFileSync('make', ['vsix'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
        assert.match(made, /\.vsix/);
        assert.ok(before.equals(readFileSync(file)), 'the second package differs from the first');
    });
});
