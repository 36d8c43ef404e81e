import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext } from 'node:test';
import { CodeServer } from './codeServer';
import { Workbench } from './workbench';

const screenshots = 'out/screenshots';

/** What VS Code is started with. */
export interface Setting {
    /** The folder to open. */
    readonly folder: string;
    /** Is added to the environment of code-server, and so to that of the debug adapter. */
    readonly env?: Record<string, string>;
}

/** Where a test plays: a VS Code with the extension, and a folder open in it. */
export interface Stage {
    readonly folder: string;
    readonly workbench: Workbench;
    /** Keeps the screen as a picture of this name. */
    readonly screenshot: (name: string) => Promise<void>;
}

/** The programs that run on when a session has ended: the test, code-server and the browser. */
export const bystanders = ['dash', 'node', 'chromium', 'chrome_crashpad_handler'];

/**
 * Runs a story in a VS Code of its own. If it fails, what was on the screen and in the logs is printed.
 *
 * @param prepare makes the folder to open, in a home that is removed at the end
 */
export async function onStage(t: TestContext, prepare: (home: string) => Setting, story: (stage: Stage) => Promise<void>): Promise<void> {
    const home = mkdtempSync(join(tmpdir(), 'envoydbg-vscode-'));
    // What is to be undone, the last first; t.after() by itself has it the other way round.
    const undo: (() => Promise<void> | void)[] = [() => { rmSync(home, { recursive: true, force: true }); }];
    t.after(async () => {
        for (const step of undo.reverse()) {
            await step();
        }
    });
    const { folder, env = {} } = prepare(home);
    const log = join(home, 'envoydbg.log');
    const codeServer = await CodeServer.start(home, 'out/envoydbg.vsix', { 'envoy.log': log }, env);
    undo.push(() => codeServer.stop());
    const workbench = await Workbench.open(codeServer.url, folder);
    undo.push(() => workbench.close());
    mkdirSync(screenshots, { recursive: true });
    const screenshot = (name: string): Promise<void> => workbench.screenshot(join(screenshots, `${name}.png`));
    try {
        await story({ folder, workbench, screenshot });
    } catch (error) {
        await screenshot('failed');
        console.log(`The screen is in ${join(screenshots, 'failed.png')}; messages on it:\n${(await workbench.messages()).join('\n')}`);
        console.log(existsSync(log) ? `The log of envoydbg:\n${readFileSync(log, 'utf8')}` : 'envoydbg wrote no log: it was not started.');
        console.log(`code-server said:\n${codeServer.output()}`);
        throw error;
    }
}
