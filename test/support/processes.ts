import { readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A process of the PID namespace that the test runs in: its id and the path of its program. */
export interface Process {
    readonly pid: number;
    readonly program: string;
}

/** All processes but zombies and those that end while they are read. */
export function processes(): Process[] {
    const found: Process[] = [];
    for (const entry of readdirSync('/proc')) {
        if (!/^\d+$/.test(entry)) {
            continue;
        }
        try {
            found.push({ pid: Number(entry), program: readlinkSync(`/proc/${entry}/exe`) });
        } catch {
            // It has ended, or is a zombie, which has no program any more.
        }
    }
    return found;
}

/** Waits until something is so that has no event to wait for, and fails after `seconds`. */
export async function until(what: string, seconds: number, is: () => boolean): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!is()) {
        if (Date.now() > deadline) {
            throw new Error(`${what}: not so after ${seconds} s`);
        }
        await delay(50);
    }
}

/**
 * Waits until only programs with these base names run in the namespace, and fails with the names of the others
 * after `seconds`. The end of a process that is no child has no event to wait for, so this looks at /proc anew.
 */
export async function onlyTheseRun(allowed: readonly string[], seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        const left = processes().filter(({ program }) => !allowed.includes(basename(program)));
        if (left.length === 0) {
            return;
        }
        if (Date.now() > deadline) {
            throw new Error(`still running after ${seconds} s:\n${left.map(({ pid, program }) => `  ${pid} ${program}`).join('\n')}`);
        }
        await delay(50);
    }
}
