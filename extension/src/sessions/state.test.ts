import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { after, begun, type Message, type State } from './state';

const phase = (name: string, state: string, message?: string): Message => ({ type: 'event', event: 'envoyPhase', body: { phase: name, state, message } });
const event = (name: string, body: unknown = {}): Message => ({ type: 'event', event: name, body });
const response = (command: string, success = true): Message => ({ type: 'response', command, success });

/** The states that a session goes through. */
function told(...messages: Message[]): string[] {
    let state: State = begun;
    return messages.map((message) => {
        state = after(state, message);
        return [state.kind, 'what' in state ? state.what : 'reason' in state ? state.reason : ''].join(' ').trim();
    });
}

suite('the state of a session', () => {
    test('follows the phases, in their words for people', () => {
        assert.deepEqual(
            told(phase('armed', 'begin', 'arming'), phase('armed', 'end'), phase('symbols', 'progress', 'half of them'), phase('breakpoints', 'begin'), phase('breakpoints', 'end'), event('stopped', { reason: 'breakpoint', description: 'main' })),
            ['starting arming', 'starting arming', 'starting half of them', 'starting breakpoints', 'running', 'stopped main'],
        );
    });

    test('is armed until the agent starts', () => {
        const waiting = phase('agent started', 'waiting', 'armed, waiting');
        assert.deepEqual(told(waiting, phase('agent started', 'end'), phase('attached', 'begin', 'waiting for Envoy')), ['armed', 'armed', 'starting waiting for Envoy']);
    });

    test('runs when a request has let it, and not when it was refused', () => {
        const stopped = event('stopped', { reason: 'pause' });
        for (const command of ['continue', 'next', 'stepIn', 'stepOut']) {
            assert.deepEqual(told(stopped, response(command, false), response(command)), ['stopped stopped: pause', 'stopped stopped: pause', 'running']);
        }
        assert.deepEqual(told(stopped, response('threads'), event('continued')), ['stopped stopped: pause', 'stopped stopped: pause', 'running']);
    });

    test('runs as soon as there is a process, if it has no phases', () => {
        assert.deepEqual(told(event('initialized'), event('process')), ['starting', 'running']);
        assert.deepEqual(told(phase('symbols', 'begin'), event('process')), ['starting symbols', 'starting symbols']);
    });
});
