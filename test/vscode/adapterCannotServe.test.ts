import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { bystanders, type Setting, VSCode } from './stage';

const name = 'Envoy: Debug Startup';
const missing = '/nowhere/envoydbg';
const vscode = new VSCode(() => ({ settings: { 'envoy.adapterPath': missing } }));

function configured(scratch: string): Setting {
    const folder = join(scratch, 'folder');
    mkdirSync(join(folder, '.vscode'), { recursive: true });
    const configuration = { name, type: 'envoy', request: 'launch', target: 'local', program: '/usr/local/bin/envoy' };
    writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ version: '0.2.0', configurations: [configuration] }));
    return { folder };
}

test('F5 with a wrong envoy.adapterPath shows why there is no session, and opens the setting', { timeout: 240_000 }, vscode.story(configured, async ({ workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    const shown = await workbench.error(30);
    assert.ok(shown.includes(`envoydbg cannot be started: ${missing} does not exist.`), shown);
    await screenshot('cannot-serve');
    await workbench.pressButton('Open Setting');
    await workbench.setting('Adapter Path').waitFor();
    await workbench.press('Escape');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
