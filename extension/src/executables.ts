/** The programs in a folder that one can debug. Nothing here depends on VS Code. */

import * as fs from 'node:fs/promises';
import * as path from 'node:path';

/** How deep to look: programs lie in folders such as bin, build/debug or bazel-bin/source/exe. */
const maxDepth = 3;
/** How many entries to look at, so that a huge tree does not keep the user waiting. */
const maxEntries = 20_000;
/** Folders that hold no program of the user's, or the same ones again. */
const skipped = /^(\.|node_modules$|bazel-(?!bin$))|\.runfiles$/;

/** Returns the paths of the ELF programs below a folder, those built last first. Shared libraries are not programs. */
export async function executables(folder: string): Promise<string[]> {
    const found: { file: string; changed: number }[] = [];
    let entries = 0;
    let level = [folder];
    for (let depth = 0; depth <= maxDepth; depth++) {
        const next: string[] = [];
        for (const parent of level) {
            for (const name of await namesIn(parent)) {
                if (++entries > maxEntries) {
                    break;
                }
                const file = path.join(parent, name);
                const status = await fs.stat(file).catch(() => undefined);
                if (status?.isDirectory() && !skipped.test(name)) {
                    next.push(file);
                } else if (status?.isFile() && (status.mode & 0o111) !== 0 && !/\.so(\.|$)/.test(name) && (await isElf(file))) {
                    found.push({ file, changed: status.mtimeMs });
                }
            }
        }
        level = next;
    }
    return found.sort((a, b) => b.changed - a.changed || a.file.localeCompare(b.file)).map(({ file }) => file);
}

async function namesIn(folder: string): Promise<string[]> {
    try {
        return (await fs.readdir(folder)).sort();
    } catch {
        return [];
    }
}

async function isElf(file: string): Promise<boolean> {
    try {
        const handle = await fs.open(file);
        try {
            const { buffer } = await handle.read(Buffer.alloc(4), 0, 4);
            return buffer.toString('latin1') === '\x7fELF';
        } finally {
            await handle.close();
        }
    } catch {
        return false;
    }
}
