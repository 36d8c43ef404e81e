/**
 * Stands in for the executable `code` of a desktop VS Code, as vscode-test starts it: runs an extension's tests inside the
 * extension host of code-server, whose window is in Chromium. The tests cannot tell the difference.
 *
 *   vscode-test ──▶ code FOLDER --extensionTestsPath=… ──▶ code-server ──▶ extension host ──▶ tests
 *        ▲                          │       ▲                                                   │
 *        └── output, exit code ─────┘       └─────── output, exit code ── window (Chromium) ◀───┘
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, parseArgs } from 'node:util';
import { launchBrowser } from './browser';
import { CodeServer } from './codeServer';

interface Run {
    /** The folder to open. */
    readonly folder: string;
    /** The URL parameters that name the extension and its tests, as paths. */
    readonly paths: { readonly extensionDevelopmentPath: string; readonly extensionTestsPath: string };
    readonly trusted: boolean;
}

// The others are about Electron, or what code-server does not do by itself, or folders: each run has its own.
const { values, positionals } = parseArgs({ allowPositionals: true, strict: false });
const [folder] = positionals;
const { extensionDevelopmentPath, extensionTestsPath } = values;
if (folder === undefined || typeof extensionDevelopmentPath !== 'string' || typeof extensionTestsPath !== 'string') {
    throw new Error('usage: code FOLDER --extensionDevelopmentPath=… --extensionTestsPath=…');
}
void run({ folder, paths: { extensionDevelopmentPath, extensionTestsPath }, trusted: values['disable-workspace-trust'] === true }).then((code) => {
    process.exitCode = code;
});

/** Returns the exit code of the tests. */
async function run(what: Run): Promise<number> {
    const home = mkdtempSync(join(tmpdir(), 'envoydbg-code-'));
    // VS Code asks a login shell for its environment; a desktop VS Code that is started in a terminal keeps the terminal's.
    writeFileSync(join(home, '.profile'), `PATH='${process.env['PATH']}'\n`);
    const args = ['--vscode-option', 'enable-smoke-test-driver', ...(what.trusted ? ['--disable-workspace-trust'] : [])];
    try {
        const server = await CodeServer.start(home, { env: { ...process.env, HOME: home }, args });
        try {
            return await inWindow(server.url, what);
        } finally {
            await server.stop();
        }
    } finally {
        rmSync(home, { recursive: true, force: true });
    }
}

async function inWindow(server: string, { folder, paths }: Run): Promise<number> {
    const browser = await launchBrowser();
    const said: string[] = [];
    try {
        const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
        const ended = new Promise<number>((resolve, reject) => {
            page.once('crash', () => { reject(new Error('the window has crashed')); });
            browser.once('disconnected', () => { reject(new Error('the browser has ended')); });
            void page.exposeFunction('codeAutomationExit', resolve);
        });
        await page.exposeFunction('codeAutomationLog', (_: string, texts: unknown[]) => {
            const line = format(...texts);
            // What Mocha shows is indented, or empty. The others are the window's own.
            if (/^(\s|$)/.test(line)) {
                console.log(line);
            } else {
                said.push(line);
            }
        });
        const payload = Object.entries(paths).map(([name, path]) => [name, `vscode-remote://${new URL(server).host}${path}`]);
        const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
        const [code] = await Promise.all([ended, page.goto(`${server}/?${query}`)]);
        if (code !== 0) {
            console.log(`The window said:\n${said.join('\n')}`);
        }
        return code;
    } finally {
        await browser.close();
    }
}
