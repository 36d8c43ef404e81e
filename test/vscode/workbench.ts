import assert from 'node:assert/strict';
import { type Browser, errors, type Locator, type Page } from 'playwright-core';

const openSeconds = 60;

/** What the user answers when VS Code asks whether to trust the authors of a folder. */
export type Answer = 'trust' | 'do not trust';

/** A window of VS Code in a browser, and what a user does and sees there. */
export class Workbench {
    private constructor(private readonly page: Page) {}

    /** Opens a folder in a window that shares nothing with the browser's others. VS Code asks about its authors next. */
    static async open(browser: Browser, url: string, folder: string): Promise<Workbench> {
        const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
        const page = await context.newPage();
        await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`, { timeout: openSeconds * 1000 });
        await page.locator('.monaco-workbench').waitFor({ timeout: openSeconds * 1000 });
        return new Workbench(page);
    }

    /** Answers the question about the authors of the folder. */
    async answer(answer: Answer): Promise<void> {
        const button = answer === 'trust' ? 'Yes, I trust the authors' : 'No, I don\'t trust the authors';
        await this.page.locator('.monaco-dialog-box').getByRole('button', { name: button }).click({ timeout: openSeconds * 1000 });
    }

    /**
     * Waits until VS Code can start the configuration. It takes no notice of F5 until its extension host has told it of the
     * debuggers, and shows no sign of that moment by itself; but from then on its quick pick lists the configurations.
     */
    async canStart(name: string, seconds: number): Promise<void> {
        const deadline = Date.now() + seconds * 1000;
        await this.page.keyboard.press('Control+KeyP');
        do {
            if (Date.now() > deadline) {
                throw new Error(`VS Code does not offer the configuration "${name}" after ${seconds} s`);
            }
            // The list is made when the input begins with the prefix, and does not follow what changes later.
            await this.input.fill('');
            await this.input.fill('debug ');
        } while (!(await appears(this.row(name), 250)));
        await this.page.keyboard.press('Escape');
    }

    /** Starts a configuration of the folder by its name. */
    async start(name: string): Promise<void> {
        await this.page.keyboard.press('Control+KeyP');
        await this.input.fill(`debug ${name}`);
        await this.row(name).click();
    }

    /** The commands that the palette lists for a text, by their whole titles. */
    async commands(text: string): Promise<string[]> {
        await this.page.keyboard.press('F1');
        await this.input.fill(`>${text}`);
        await this.rows.first().waitFor();
        const titles = await this.rows.locator('.label-name').allInnerTexts();
        await this.page.keyboard.press('Escape');
        return titles.filter((title) => title === text);
    }

    /** Runs a command from the palette. */
    async run(title: string): Promise<void> {
        await this.page.keyboard.press('F1');
        await this.input.fill(`>${title}`);
        await this.row(title).click();
    }

    /** The choices of a list that the extension shows, each as its lines. */
    async choices(title: string, seconds: number): Promise<string[][]> {
        await this.page.locator('.quick-input-title').getByText(title, { exact: true }).waitFor({ timeout: seconds * 1000 });
        await this.rows.first().waitFor({ timeout: seconds * 1000 });
        const rows = await this.rows.allInnerTexts();
        return rows.map((row) => row.split('\n').map((line) => line.trim()).filter((line) => line !== ''));
    }

    /** The labels of a list of VS Code's own, once it has this one. */
    async picks(label: string, seconds: number): Promise<string[]> {
        await this.row(label).waitFor({ timeout: seconds * 1000 });
        return this.rows.locator('.label-name').allInnerTexts();
    }

    /** Types into the list that is shown, and takes the choice with this label. */
    async choose(text: string, label: string): Promise<void> {
        await this.input.fill(text);
        await this.row(label).click();
    }

    /** Answers a question for a text. */
    async type(text: string): Promise<void> {
        await this.input.waitFor();
        await this.input.fill(text);
        await this.input.press('Enter');
        await this.input.waitFor({ state: 'hidden' });
    }

    /** Types a command into a new terminal. */
    async inTerminal(command: string): Promise<void> {
        await this.run('Terminal: Create New Terminal');
        await this.page.locator('.terminal-wrapper.active .xterm-helper-textarea:focus').waitFor();
        await this.page.keyboard.type(`${command}\n`);
    }

    /** Opens a file of the folder. */
    async openFile(name: string): Promise<void> {
        await this.page.keyboard.press('Control+KeyP');
        await this.input.fill(name);
        await this.row(name).click();
        await this.openTab(name);
    }

    /** Makes a launch.json as the view Run and Debug offers it where there is none. */
    async createLaunchJson(): Promise<void> {
        await this.page.keyboard.press('Control+Shift+KeyD');
        await this.page.getByText('create a launch.json file').click();
    }

    /** A notification that is no error, such as the one that tells what a startup does now. */
    progress(text: string): Locator {
        return this.page.locator('.notification-toast .notification-list-item-message').getByText(text);
    }

    /** Presses a button of a message or dialog. */
    async pressButton(label: string): Promise<void> {
        await this.page.locator('.notification-list-item, .monaco-dialog-box').getByRole('button', { name: label }).click();
    }

    /** Closes all messages but dialogs. */
    async dismissNotifications(): Promise<void> {
        await this.run('Notifications: Clear All Notifications');
        await this.page.locator('.notification-toast').first().waitFor({ state: 'detached' });
    }

    /** Presses the button for Perfetto in the startup's timeline, and takes the file that is offered, beside this folder. */
    async exportTimeline(neighbour: string): Promise<void> {
        await this.run('Envoy: Show Startup Timeline');
        await this.page.frameLocator('iframe.webview').frameLocator('#active-frame').locator('#export').click();
        // The dialog shows what the file's folder has when it is ready for an answer.
        await this.row(neighbour).waitFor();
        await this.input.press('Enter');
        await this.input.waitFor({ state: 'hidden' });
    }

    /** The editor that is shown, by its name. */
    tab(name: string): Locator {
        return this.page.locator('.tab.active').getByText(name);
    }

    /** A setting that the settings editor shows, by its title. */
    setting(title: string): Locator {
        return this.page.locator('.settings-editor .setting-item-label').getByText(title, { exact: true });
    }

    /** Waits until the editor shows a file and its text. */
    async openTab(name: string): Promise<void> {
        await this.tab(name).waitFor();
        await this.page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"] .view-line`).first().waitFor();
    }

    /** Sets a breakpoint in the file that is shown. */
    async setBreakpoint(line: number): Promise<void> {
        const number = await this.page.locator('.margin-view-overlays .line-numbers').getByText(String(line), { exact: true }).boundingBox();
        assert(number !== null, `line ${line} is not in sight`);
        // The margin for breakpoints is left of the numbers.
        await this.page.mouse.click(number.x - 10, number.y + number.height / 2);
        await this.page.locator('.glyph-margin-widgets [class*=codicon-debug-breakpoint]:not([class*=hint])').first().waitFor();
    }

    /** Waits until what is shown beside the language of the file has this entry. */
    async languageStatus(text: RegExp, seconds: number): Promise<void> {
        await this.page.locator('[id="status.languageStatus"]').hover({ timeout: seconds * 1000 });
        await this.page.locator('.hover-language-status').getByText(text).waitFor({ timeout: seconds * 1000 });
        await this.page.mouse.move(0, 0);
    }

    /** An entry of the status bar. */
    status(text: string): Locator {
        return this.page.locator('.statusbar-item').getByText(text);
    }

    private get input(): Locator {
        return this.page.locator('.quick-input-widget input[type=text]');
    }

    private get rows(): Locator {
        return this.page.locator('.quick-input-list .monaco-list-row');
    }

    private row(text: string): Locator {
        return this.rows.filter({ has: this.page.locator('.label-name').getByText(text, { exact: true }) }).first();
    }

    async press(key: string): Promise<void> {
        await this.page.keyboard.press(key);
    }

    /**
     * Waits for the yellow line that marks the top frame of the stopped thread, and returns what stands in it and where.
     * Fails at once when VS Code shows an error instead.
     */
    async yellowLine(seconds: number): Promise<{ file: string; line: number; text: string }> {
        const mark = this.page.locator('.monaco-editor .view-overlays .debug-top-stack-frame-line').first();
        const error = this.errors();
        await mark.or(error).first().waitFor({ state: 'attached', timeout: seconds * 1000 });
        if (await error.isVisible()) {
            throw new Error(`VS Code shows the error: ${await error.innerText()}`);
        }
        return mark.evaluate((element) => {
            const editor = element.closest<HTMLElement>('.monaco-editor');
            // The editor draws marks, numbers and text as layers; what belongs to one line is at one height in each of them.
            const atSameHeight = (rows: string): HTMLElement | undefined =>
                [...(editor?.querySelectorAll<HTMLElement>(rows) ?? [])].find((row) => row.style.top === element.parentElement?.style.top);
            const shown = atSameHeight('.view-lines > .view-line')?.textContent ?? '';
            return {
                file: new URL(editor?.dataset['uri'] ?? 'gone:').pathname,
                line: Number(atSameHeight('.margin-view-overlays > div')?.querySelector('.line-numbers')?.textContent),
                // A space is shown as U+00A0, and the marks at the column are characters of the private use area with a space.
                text: shown.replaceAll(/\p{Co}/gu, '').replaceAll(/\s+/g, ' ').trim(),
            };
        });
    }

    /** Waits until the yellow line has moved on in its file, and returns it. */
    async yellowLineBelow(line: number, seconds: number): Promise<{ file: string; line: number; text: string }> {
        const deadline = Date.now() + seconds * 1000;
        for (;;) {
            // It is drawn anew at each stop, so it may go while it is read.
            const shown = await this.yellowLine(seconds);
            if (shown.line > line) {
                return shown;
            }
            assert.ok(Date.now() < deadline, `the yellow line is in line ${shown.line} of ${shown.file} after ${seconds} s`);
        }
    }

    /** Waits until the yellow line is in this line of this file. */
    async yellowLineAt(file: string, line: number, seconds: number): Promise<void> {
        const deadline = Date.now() + seconds * 1000;
        for (;;) {
            const shown = await this.yellowLine(seconds);
            if (shown.file === file && shown.line === line) {
                return;
            }
            assert.ok(Date.now() < deadline, `the yellow line is in line ${shown.line} of ${shown.file} after ${seconds} s`);
        }
    }

    /** Waits until no line is marked as the one that the program stands at. */
    async yellowLineGoes(seconds: number): Promise<void> {
        await this.page.locator('.debug-top-stack-frame-line').first().waitFor({ state: 'detached', timeout: seconds * 1000 });
    }

    /** Waits until VS Code says that the folder is not trusted. */
    async restricted(seconds: number): Promise<void> {
        await this.status('Restricted Mode').waitFor({ timeout: seconds * 1000 });
    }

    /** Waits for a dialog, and returns its text. */
    async dialog(seconds: number): Promise<string> {
        const box = this.page.locator('.monaco-dialog-box');
        await box.waitFor({ timeout: seconds * 1000 });
        return box.innerText();
    }

    /** The texts of the error messages that are shown. */
    async errorMessages(): Promise<string[]> {
        return this.errors().allInnerTexts();
    }

    /** Waits for an error message or dialog, and returns its text. */
    async error(seconds: number): Promise<string> {
        const shown = this.errors();
        await shown.waitFor({ timeout: seconds * 1000 });
        return shown.innerText();
    }

    private errors(): Locator {
        return this.page.locator('.notification-list-item:has(.codicon-error), .monaco-dialog-box:has(.codicon-dialog-error)').first();
    }

    /** The rows of the call stack of a thread that stops, from the top. */
    async callStack(seconds: number): Promise<string[]> {
        const rows = this.page.locator('.debug-call-stack .monaco-list-row');
        await rows.locator('.stack-frame').first().waitFor({ timeout: seconds * 1000 });
        // VS Code asks for the top frame first, and shows this row until it has the others.
        await rows.getByText('Load More Stack Frames').waitFor({ state: 'hidden', timeout: seconds * 1000 });
        const texts = await rows.allInnerTexts();
        return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
    }

    /** Presses a button of the debug toolbar, by the beginning of its title. */
    async toolbar(title: string): Promise<void> {
        await this.page.locator(`.debug-toolbar .action-label[aria-label^="${title}"]`).click();
    }

    /** Waits until the view Variables shows one of this name in an open scope, and returns its value. */
    async variable(name: string, seconds: number): Promise<string> {
        const timeout = seconds * 1000;
        const row = this.page.locator('.debug-variables .monaco-list-row').filter({ hasText: new RegExp(`^\\s*${name}\\s*=`) }).first();
        const scope = this.page.locator('.debug-variables .monaco-list-row[aria-expanded]').first();
        await scope.waitFor({ timeout });
        if ((await scope.getAttribute('aria-expanded')) === 'false') {
            await scope.click();
        }
        await row.waitFor({ timeout });
        return row.locator('.value').innerText();
    }

    /** Waits until the Debug Console shows a line with this text. */
    async console(text: string, seconds: number): Promise<void> {
        await this.page.locator('.repl .monaco-list-row').getByText(text).first().waitFor({ timeout: seconds * 1000 });
    }

    /** Waits until no debug session runs. */
    async sessionEnded(seconds: number): Promise<void> {
        await this.page.locator('.debug-toolbar').waitFor({ state: 'hidden', timeout: seconds * 1000 });
    }

    /** What the user can read of messages: notifications, dialogs and the debug console. */
    async messages(): Promise<string[]> {
        return this.page.locator('.notification-list-item-message, .monaco-dialog-box, .repl .monaco-list-row').allInnerTexts();
    }

    async screenshot(path: string): Promise<void> {
        await this.page.screenshot({ path });
    }

    get closed(): boolean {
        return this.page.isClosed();
    }

    /** Closes the window as a user does, so that its extension host ends, too. */
    async close(): Promise<void> {
        if (this.closed) {
            return;
        }
        await this.page.goto('about:blank');
        await this.page.context().close();
    }
}

async function appears(locator: Locator, milliseconds: number): Promise<boolean> {
    try {
        await locator.first().waitFor({ timeout: milliseconds });
        return true;
    } catch (error) {
        if (error instanceof errors.TimeoutError) {
            return false;
        }
        throw error;
    }
}
