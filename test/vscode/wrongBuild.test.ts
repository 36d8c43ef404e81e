import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onlyTheseRun } from '../support/processes';
import { work } from './folders';
import { bystanders, type Setting, VSCode } from './stage';

const name = 'Envoy: Debug Startup';
const vscode = new VSCode();

/** A launch.json whose program is another build than the Envoy that runs. */
function wrong(scratch: string): Setting {
    const program = join(scratch, 'other');
    writeFileSync(`${program}.cc`, 'int main() {}\n');
    execFileSync('g++', ['-g', '-Wl,--build-id=sha1', `${program}.cc`, '-o', program]);
    return { folder: work(join(scratch, 'proxy'), (sample) => [{ ...sample, name, program }]) };
}

test('a program of another build is refused with both build-ids, and the button opens launch.json', { timeout: 240_000 }, vscode.story(wrong, async ({ workbench, screenshot }) => {
    await workbench.canStart(name, 60);
    await workbench.press('F5');
    const shown = await workbench.error(60);
    await screenshot('wrong-build');
    assert.match(shown, /The local program is not the Envoy that will run\./);
    assert.equal(shown.match(/build-id [0-9a-f]/g)?.length, 2, shown);
    assert.match(shown, /\[ED1203\]/);
    await workbench.pressButton('Open launch.json');
    await workbench.openTab('launch.json');
    await workbench.sessionEnded(20);
    await workbench.console('[ED1203]', 10);
    await onlyTheseRun(bystanders, 10);
}));
