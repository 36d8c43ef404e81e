import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { bystanders, type Setting, VSCode } from './stage';

const vscode = new VSCode();

/** The folder that "Envoy: Open Sample" makes of what the package contains. */
function sample(scratch: string): Setting {
    const folder = join(scratch, 'envoy-sample');
    cpSync(join('out/vsix', `${process.platform}-${process.arch}`, 'sample'), folder, { recursive: true });
    return { folder };
}

test('the sample of the walkthrough is built by F5, and stops in main', { timeout: 300_000 }, vscode.story(sample, async ({ folder, workbench, screenshot }) => {
    assert.deepEqual(await workbench.commands('Envoy: Open Sample'), ['Envoy: Open Sample']);
    await workbench.canStart('Envoy: Debug Startup', 60);
    await workbench.press('F5');
    const shown = await workbench.yellowLine(120);
    assert.equal(shown.file, join(folder, 'source/exe/main_common.cc'));
    await screenshot('sample');
    await workbench.press('Shift+F5');
    await workbench.sessionEnded(20);
    await onlyTheseRun(bystanders, 10);
}));
