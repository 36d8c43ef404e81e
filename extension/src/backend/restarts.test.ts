import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Restarts } from './restarts';

const minute = 60_000;

suite('a backend that dies', () => {
    test('is started again three times in ten minutes, and not once more', () => {
        const restarts = new Restarts();
        assert.deepEqual([0, 1, 2, 3].map((at) => restarts.allows(at * minute)), [true, true, true, false]);
    });

    test('is started again whenever it has lived long', () => {
        const restarts = new Restarts();
        for (let at = 0; at < 100; at += 4) {
            assert.ok(restarts.allows(at * minute), String(at));
        }
    });

    test('is started again when the user wants it', () => {
        const restarts = new Restarts();
        for (let at = 0; at < 4; at++) {
            restarts.allows(at);
        }
        restarts.forget();
        assert.ok(restarts.allows(4));
    });
});
