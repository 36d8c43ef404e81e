/** Finds out whether a program is an envoydbg that runs here. Nothing here depends on VS Code. */

import { execFile } from 'node:child_process';

/** How long the program may take to say its version. It takes milliseconds. */
const limit = 10_000;

/**
 * Returns what is wrong with a program that is to be the debug adapter, as the end of a sentence that begins with its path, or
 * undefined if nothing is. VS Code says nothing of an adapter that ends before its first message.
 */
export function whyNoAdapter(command: string): Promise<string | undefined> {
    return new Promise((resolve) => {
        execFile(command, ['version'], { timeout: limit, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
            if (error === null && stdout.startsWith('envoydbg ')) {
                resolve(undefined);
                return;
            }
            resolve(reason(error?.killed === true ? 'late' : error?.code, stderr.trim() || stdout.trim()));
        });
    });
}

function reason(code: unknown, said: string): string {
    switch (code) {
        case 'ENOENT':
            return 'does not exist.';
        case 'EACCES':
            return 'may not be executed: it is a folder or not executable, or its file system is mounted noexec.';
        case 'ENOEXEC':
            return 'is no program for this machine.';
        case 'late':
            return `did not say its version within ${String(limit / 1000)} s.`;
        default: {
            const [line] = said.split('\n');
            const status = typeof code === 'number' ? `exit code ${code}` : typeof code === 'string' ? code : 'it is another program';
            return `is no envoydbg that runs on this machine (${line ? `${status}: ${line}` : status}).`;
        }
    }
}
