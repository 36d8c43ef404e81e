import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { type Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { CodeServer, type Options } from './codeServer';
import { type Answer, Workbench } from './workbench';

const screenshots = 'out/screenshots';
const vsix = 'out/envoydbg.vsix';

/** What a story begins with. */
export interface Setting {
    /** The folder to open. */
    readonly folder: string;
    /** What the user answers when VS Code asks about its authors. Default: that they are trusted. */
    readonly answer?: Answer;
}

/** Where a story plays: a window of VS Code with the extension, and a folder open in it. */
export interface Stage {
    readonly t: TestContext;
    readonly folder: string;
    readonly workbench: Workbench;
    /** Opens a folder in one more window. */
    readonly another: (setting: Setting) => Promise<Workbench>;
    /** Keeps the screen of the first window, or another, as a picture of this name. */
    readonly screenshot: (name: string, of?: Workbench) => Promise<void>;
}

/** The programs that run on when a session has ended: the test, code-server, the browser, and the backend of each window. */
export const bystanders = ['dash', 'node', 'chromium', 'chrome_crashpad_handler', 'envoydbg'];

/**
 * The VS Code of a test file. Its server and its browser are started once, since that takes longer than most stories; each
 * story has a window that knows nothing of the others': their folders, breakpoints, and answers.
 */
export class VSCode {
    private home = '';
    private server: CodeServer | undefined;
    private browser: Browser | undefined;

    /**
     * For the tests of this file.
     *
     * @param options returns what code-server is started with beside the extension; home is the user's
     */
    constructor(private readonly options: (home: string) => Options | Promise<Options> = () => ({})) {
        before(() => this.start(), { timeout: 120_000 });
        after(() => this.end(), { timeout: 30_000 });
    }

    /**
     * Makes a test of a story. If it fails, what was on the screens and in the logs is printed.
     *
     * @param prepare makes the folder to open; scratch is a folder that is removed at the end, home is the user's
     */
    story(prepare: (scratch: string, home: string) => Setting, play: (stage: Stage) => Promise<void>): (t: TestContext) => Promise<void> {
        return async (t) => {
            const scratch = mkdtempSync(join(this.home, 'story-'));
            const windows: Workbench[] = [];
            t.after(async () => {
                await Promise.all(windows.map((window) => window.close()));
                rmSync(scratch, { recursive: true, force: true });
            });
            const open = async ({ folder, answer = 'trust' }: Setting): Promise<Workbench> => {
                const { browser, server } = this;
                if (browser === undefined || server === undefined) {
                    throw new Error('VS Code did not start');
                }
                const window = await Workbench.open(browser, server.url, folder);
                windows.push(window);
                await window.answer(answer);
                return window;
            };
            const picture = (name: string): string => join(screenshots, `${name}.png`);
            try {
                const setting = prepare(scratch, this.home);
                const workbench = await open(setting);
                const screenshot = (name: string, of = workbench): Promise<void> => of.screenshot(picture(name));
                await play({ t, folder: setting.folder, workbench, another: open, screenshot });
            } catch (error) {
                for (const [i, window] of windows.filter(({ closed }) => !closed).entries()) {
                    const file = picture(`failed-${t.name.replaceAll(/\W+/g, '-')}-${i + 1}`);
                    await window.screenshot(file);
                    console.log(`The screen is in ${file}; messages on it:\n${(await window.messages()).join('\n')}`);
                }
                console.log(`The log of the extension:\n${this.log()}`);
                console.log(`code-server said:\n${this.server?.output()}`);
                throw error;
            }
        };
    }

    /** What the output channel "Envoy" has in all windows. */
    private log(): string {
        const logs = join(this.home, 'data/logs');
        const names = readdirSync(logs, { recursive: true, encoding: 'utf8' });
        return names.filter((name) => name.endsWith('Envoy.log')).map((name) => readFileSync(join(logs, name), 'utf8')).join('\n');
    }

    private async start(): Promise<void> {
        const started = performance.now();
        mkdirSync(screenshots, { recursive: true });
        this.home = mkdtempSync(join(tmpdir(), 'envoydbg-vscode-'));
        const options = await this.options(this.home);
        this.server = await CodeServer.start(this.home, { vsix, ...options, args: ['--log', 'trace', ...(options.args ?? [])] });
        this.browser = await launchBrowser();
        console.log(`VS Code started within ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }

    private async end(): Promise<void> {
        await this.browser?.close();
        await this.server?.stop();
        rmSync(this.home, { recursive: true, force: true });
    }
}
