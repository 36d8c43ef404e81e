import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { page } from './page';
import { type Drawn, picture, seconds, ticks } from './picture';

const startup: Drawn = {
    phases: [
        { name: 'preflight', start: 0, end: 200, detail: 'build-id 9e55…8f23 matches', failed: false, open: false },
        { name: 'armed', start: 200, end: 1000, detail: 'polls <clock_nanosleep>', failed: true, open: false },
    ],
    moments: [{ name: 'stop', at: 900, detail: 'main' }],
};

/** An attribute of each element with that class. */
function values(svg: string, kind: string, attribute: string): number[] {
    return [...svg.matchAll(new RegExp(`<\\w+ class="${kind}"[^>]* ${attribute}="([^"]*)"`, 'g'))].map(([, value]) => Number(value));
}

suite('the picture of a startup', () => {
    test('has a bar for each phase, as long as the phase, one after the other', () => {
        const svg = picture(startup);
        const [start, next] = [values(svg, 'phase', 'x')[0] ?? 0, values(svg, 'failed', 'x')[0] ?? 0];
        const [length, longer] = [values(svg, 'phase', 'width')[0] ?? 0, values(svg, 'failed', 'width')[0] ?? 0];
        assert.ok(Math.abs(start + length - next) < 0.2, 'the second begins where the first ends');
        assert.ok(Math.abs(longer / length - 4) < 0.01, 'it takes four times as long');
    });

    test('has a line for each moment, below the phases, at its time', () => {
        const svg = picture(startup);
        const [at] = values(svg, 'moment', 'cx');
        const [failedAt, failedFor] = [values(svg, 'failed', 'x')[0] ?? 0, values(svg, 'failed', 'width')[0] ?? 0];
        assert.ok(Math.abs((at ?? 0) - (failedAt + failedFor * (700 / 800))) < 0.2);
    });

    test('shows a phase that took no time, and a startup without phases', () => {
        const none = { ...startup, phases: [{ name: 'armed', start: 0, end: 0, detail: '', failed: false, open: false }], moments: [] };
        assert.deepEqual(values(picture(none), 'phase', 'width'), [2]);
        assert.doesNotMatch(picture({ phases: [], moments: [] }), /NaN|Infinity/);
    });

    test('takes no text for markup', () => {
        for (const shown of [picture(startup), page('a<b', startup, 'n')]) {
            assert.ok(shown.includes('polls &lt;clock_nanosleep&gt;'));
            assert.doesNotMatch(shown, /<clock_nanosleep>|a<b/);
        }
    });

    test('has round times at its axis', () => {
        assert.deepEqual(ticks(1000), [0, 200, 400, 600, 800, 1000]);
        assert.deepEqual(ticks(37), [0, 5, 10, 15, 20, 25, 30, 35]);
        assert.deepEqual([0, 3.14, 52.4, 999, 1234].map(seconds), ['0', '3.1 ms', '52 ms', '999 ms', '1.2 s']);
    });
});

test('the page of a startup tells all in the order of time', () => {
    const rows = [...page('Envoy', startup, 'n').matchAll(/<tr><td class="number">(.*?)<\/td>.*?<td class="(?:moment)?">(.*?)<\/td>/g)].map(([, at, what]) => `${at} ${what}`);
    assert.deepEqual(rows, ['0 preflight', '200 ms armed', '900 ms stop']);
});
