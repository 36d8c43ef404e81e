import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from './rows';

test('findings are listed the worst first, each with why it matters and how to mend it', () => {
    const shown = rows([
        { check: 'lldb-dap', state: 'ok', what: '19.1.7' },
        { check: 'probes', state: 'warning', what: 'livenessProbe', why: 'it restarts the container', fix: 'kubectl patch x', command: 'kubectl patch x' },
        { check: 'gpu', state: 'unknown', what: 'not asked' },
        { check: 'build-id', state: 'failed', what: 'differs', why: 'breakpoints go wrong', attribute: 'program' },
    ]);
    assert.deepEqual(shown, [
        { label: '$(error) build-id', description: 'differs', detail: 'breakpoints go wrong', fixes: [{ kind: 'attribute', attribute: 'program' }] },
        { label: '$(warning) probes', description: 'livenessProbe', detail: 'it restarts the container — kubectl patch x', fixes: [{ kind: 'command', command: 'kubectl patch x' }] },
        { label: '$(question) gpu', description: 'not asked', fixes: [] },
        { label: '$(pass) lldb-dap', description: '19.1.7', fixes: [] },
    ]);
});
