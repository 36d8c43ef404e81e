import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { suite, test } from 'node:test';
import { type Entry, unzip } from '../support/zip';

/** The packages, by kind of machine: that of this machine, and others where `make vsix-all` has been run. */
const kinds = readdirSync('out').flatMap((name) => /^envoydbg-(.+)\.vsix$/.exec(name)?.[1] ?? []);
const own = `${process.platform}-${process.arch}`;

/** What a package may have at most, in MB; it is loaded by each user. */
const mostMegabytes = 25;

/** What a program's header says it is for: ELF's e_machine, or Mach-O's cputype. */
function machineOf(head: Buffer): string {
    const elf: Record<number, string> = { 0x3e: 'linux-x64', 0xb7: 'linux-arm64' };
    const macho: Record<number, string> = { 0x01000007: 'darwin-x64', 0x0100000c: 'darwin-arm64' };
    return (head.readUInt32BE(0) === 0x7f454c46 ? elf[head.readUInt16LE(18)] : macho[head.readUInt32LE(4)]) ?? 'unknown';
}

suite('the package', () => {
    test('is there for this machine', () => {
        assert.ok(kinds.includes(own), `${own} is not among ${kinds.join(', ')}`);
    });

    for (const kind of kinds) {
        const file = `out/envoydbg-${kind}.vsix`;
        const entries = unzip(file);
        const entry = (path: string): Entry => {
            const found = entries.get(`extension/${path}`);
            assert(found !== undefined, `${file} has no ${path}`);
            return found;
        };
        // vsce packs README.md and CHANGELOG.md under the names that the Marketplace looks for.
        const page = (name: string): string => [...entries.keys()].find((path) => path.toLowerCase() === `extension/${name}`.toLowerCase()) ?? `no ${name}`;

        test(`for ${kind} says that it is for it`, () => {
            assert.match(entries.get('extension.vsixmanifest')?.bytes().toString() ?? '', new RegExp(`TargetPlatform="${kind}"`));
        });

        test(`for ${kind} has the programs for it, and both helpers`, () => {
            const programs = { envoydbg: kind, 'envoydbg-helper-linux-amd64': 'linux-x64', 'envoydbg-helper-linux-arm64': 'linux-arm64' };
            const packed = [...entries.keys()].filter((path) => path.startsWith('extension/bin/')).map((path) => posix.basename(path));
            assert.deepEqual(packed.sort(), Object.keys(programs).sort());
            for (const [name, machine] of Object.entries(programs)) {
                const { mode, bytes } = entry(`bin/${name}`);
                assert.equal(machineOf(bytes()), machine, name);
                assert.equal(mode & 0o111, 0o111, `${name} can be run`);
            }
        });

        test(`for ${kind} has what its pages and its manifest lead to`, () => {
            const manifest = entry('package.json').bytes().toString();
            const pages = [page('README.md'), page('CHANGELOG.md'), ...[...entries.keys()].filter((path) => /^extension\/docs\/.*\.md$/.test(path))];
            const links = pages.flatMap((path) =>
                [...(entries.get(path)?.bytes().toString() ?? assert.fail(path)).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to]) => posix.join(posix.dirname(path), to ?? '')),
            );
            const media = [...manifest.matchAll(/"(?:icon|markdown|svg|main)": "([^"$(]+)"/g)].map(([, to]) => posix.join('extension', to ?? ''));
            assert.ok(links.length > 0 && media.length > 0);
            const there = new Set([...entries.keys()].map((path) => path.toLowerCase()));
            const isThere = (path: string): boolean => there.has(path.toLowerCase()) || [...there].some((each) => each.startsWith(`${path.toLowerCase().replace(/\/$/, '')}/`));
            assert.deepEqual([...new Set([...links, ...media])].filter((to) => !isThere(to)), []);
        });

        test(`for ${kind} has no sources of the extension's, no maps, and no more than a user needs`, () => {
            const needless = [...entries.keys()].filter((path) => /\.(ts|map|go)$|\/node_modules\/|_test\.|\/extension\/src\//.test(path));
            assert.deepEqual(needless, []);
            assert.ok(!entry('out/extension.js').bytes().includes('sourceMappingURL'), 'no map within the bundle');
            const megabytes = statSync(file).size / 1e6;
            assert.ok(megabytes < mostMegabytes, `${megabytes.toFixed(1)} MB`);
        });
    }

    test('of one commit has the same bytes each time', () => {
        const file = `out/envoydbg-${own}.vsix`;
        const before = readFileSync(file);
        const made = execFileSync('make', ['vsix'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
        assert.match(made, /\.vsix/);
        assert.ok(before.equals(readFileSync(file)), 'the second package differs from the first');
    });
});
