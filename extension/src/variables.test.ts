import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substituted, withoutQuestions } from './variables';

const values = { workspaceFolder: '/w', userHome: '/home/me', env: { A: 'a' } };

test('variables of VS Code are substituted in every string', () => {
    const configuration = { program: '${workspaceFolder}/e', agent: { command: ['${userHome}/p', '${env:A}${env:NONE}'], count: 1 }, pid: '${command:envoy.pickProcess}', none: null };
    assert.deepEqual(substituted(configuration, values), { program: '/w/e', agent: { command: ['/home/me/p', 'a'], count: 1 }, pid: '${command:envoy.pickProcess}', none: null });
    assert.equal(substituted('${workspaceFolder}', { ...values, workspaceFolder: undefined }), '${workspaceFolder}');
});

test('what would need a question can be left out', () => {
    assert.deepEqual(withoutQuestions({ target: '${command:envoy.pickSidecar}', program: '${input:p}', namespace: 'demo', gate: true }), { namespace: 'demo', gate: true });
});
