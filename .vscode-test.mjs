// For vscode-test, which runs the tests in test/extension-host inside VS Code: npm run test:extension-host.
// Without a VS Code on this machine code-server stands in. VSCODE=/usr/share/code/code takes that one.

import { resolve } from 'node:path';
import { defineConfig } from '@vscode/test-cli';
import { envoyTree } from './test/support/sample.ts';

const workspaceFolder = resolve('out/extension-host/proxy');

export default defineConfig({
    files: 'out/test/test/extension-host/*.test.js',
    workspaceFolder,
    useInstallation: { fromPath: process.env.VSCODE || resolve('test/vscode/code') },
    env: { ...envoyTree(workspaceFolder), PATH: `${resolve('bin/tools')}:${process.env.PATH}` },
    mocha: { timeout: 60_000, reporter: resolve('out/test/test/extension-host/reporter.js') },
});
