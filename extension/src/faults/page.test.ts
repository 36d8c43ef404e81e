import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { anchor } from './page';

test('the section of an error is found by its number', () => {
    const page = readFileSync('docs/errors.md', 'utf8');
    assert.equal(anchor(page, 'ed1203'), 'ed1203-the-local-program-is-not-the-envoy-that-will-run');
    assert.equal(anchor(page, 'ed9999'), '');
});
