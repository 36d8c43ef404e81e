/** The processes that one can attach to, as /proc has them. Nothing here depends on VS Code. */

import * as fs from 'node:fs/promises';
import * as path from 'node:path';

export interface Process {
    readonly pid: number;
    /** The base name of its program, or what the kernel calls it if its program may not be read. */
    readonly name: string;
    readonly commandLine: string;
}

/**
 * Returns the processes of this machine, those that started last first. Kernel threads and zombies have no command line
 * and are left out.
 *
 * @param proc where the proc file system is mounted
 */
export async function processes(proc = '/proc'): Promise<Process[]> {
    const pids = (await fs.readdir(proc)).filter((entry) => /^\d+$/.test(entry));
    const read = await Promise.all(pids.map((pid) => readProcess(proc, Number(pid))));
    return read
        .filter((found) => found !== undefined)
        .sort((a, b) => b.started - a.started || b.pid - a.pid)
        .map(({ pid, name, commandLine }) => ({ pid, name, commandLine }));
}

/** Undefined if there is nothing to debug, or no such process any more. */
async function readProcess(proc: string, pid: number): Promise<(Process & { readonly started: number }) | undefined> {
    const folder = path.join(proc, String(pid));
    try {
        const [status, commandLine] = await Promise.all([
            fs.readFile(path.join(folder, 'stat'), 'utf8'),
            fs.readFile(path.join(folder, 'cmdline'), 'utf8'),
        ]);
        // The arguments end with a NUL each; a program may have put a plain text in their place.
        const shown = commandLine.replace(/\0+$/, '').replaceAll('\0', ' ');
        // The name in parentheses may itself hold spaces and parentheses. The start time is field 22, the first after it field 3.
        const [, comm, fields] = /^\d+ \((.*)\) (.*)$/s.exec(status) ?? [];
        const started = Number(fields?.split(' ')[22 - 3]);
        if (shown === '' || comm === undefined || Number.isNaN(started)) {
            return undefined;
        }
        return { pid, name: (await programName(folder)) ?? comm, commandLine: shown, started };
    } catch {
        return undefined;
    }
}

async function programName(folder: string): Promise<string | undefined> {
    try {
        return path.basename((await fs.readlink(path.join(folder, 'exe'))).replace(/ \(deleted\)$/, ''));
    } catch {
        return undefined;
    }
}
