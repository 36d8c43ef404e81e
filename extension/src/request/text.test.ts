import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responsesText, summary } from './text';

const answer = { status: '200 OK', headers: { server: ['envoy'] }, body: 'hello', envoy: true, how: 'socket 4711 is Envoy\'s', milliseconds: 12.4 };

test('a response is told with the proof that Envoy has handled it', () => {
    const responses = { from: 'fortio-server-0/app', responses: [answer] };
    assert.equal(summary(responses), '200 OK in 12 ms, from fortio-server-0/app, through Envoy.');
    assert.deepEqual(responsesText(responses).split('\n'), [summary(responses), '', '200 OK', 'Through Envoy: socket 4711 is Envoy\'s', 'server: envoy', '', 'hello', '']);
});

test('several responses are counted, and one that failed says why', () => {
    const responses = { from: 'a/b', responses: [answer, { envoy: false, milliseconds: 1, error: 'connection refused' }], notes: ['port 15 is excluded'] };
    assert.equal(summary(responses), '2 responses from a/b, 1 of them through Envoy.');
    assert.match(responsesText(responses), /port 15 is excluded\n[^]*\n\nconnection refused\n$/);
});

test('responses that came before a failure are told with it', () => {
    const failure = { id: 'ED1808', what: 'The connection was lost.', do: 'Send it again.', page: 'docs/errors.md#ed1808' };
    assert.equal(summary({ from: 'a/b', responses: [answer, answer], failure }), '2 responses from a/b, 2 of them through Envoy. There are no more: The connection was lost. Send it again. [ED1808]');
});
