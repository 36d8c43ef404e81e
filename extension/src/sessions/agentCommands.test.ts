import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type * as vscode from 'vscode';
import { resetStub, type Session, session, stub } from '../../../test/support/vscode';
import { FaultError, text } from '../faults/fault';
import { startAgent, stopAgent } from './agentCommands';
import { keepContexts } from './contexts';
import { Sessions } from './sessions';
import { StatusBar } from './statusBar';

beforeEach(() => {
    resetStub();
    sessions = new Sessions(() => undefined);
    new StatusBar(sessions);
    keepContexts(sessions);
});

let sessions: Sessions;

/** The extension's ear at a session. */
function tracker(of: Session): Required<vscode.DebugAdapterTracker> {
    const factory = stub.registered.get('tracker factory of envoy') as vscode.DebugAdapterTrackerFactory;
    return factory.createDebugAdapterTracker(of as unknown as vscode.DebugSession) as Required<vscode.DebugAdapterTracker>;
}

function phase(state: string): object {
    return { type: 'event', event: 'envoyPhase', body: { phase: 'agent started', state } };
}

/** A session that waits for its agent. */
function waitingSession(id: string): { waiting: Session; ear: Required<vscode.DebugAdapterTracker> } {
    const waiting = session(id);
    const ear = tracker(waiting);
    ear.onDidSendMessage(phase('begin'));
    ear.onDidSendMessage(phase('waiting'));
    return { waiting, ear };
}

/** What the user reads after a command; undefined if it has worked. */
async function told(command: (of: Sessions) => Promise<void>): Promise<string | undefined> {
    try {
        await command(sessions);
        return undefined;
    } catch (error) {
        return error instanceof FaultError ? text(error.fault) : (error as Error).message;
    }
}

/** Whether the palette has the command, as far as VS Code was told. */
function enabled(context = 'envoy.agentAwaited'): unknown {
    return stub.executed.findLast(([command, name]) => command === 'setContext' && name === context)?.[2] ?? false;
}

suite('the command Envoy: Start Agent', () => {
    test('is there, and in the status bar, while a session waits for its agent', async () => {
        assert.equal(enabled(), false);
        assert.equal(stub.status, undefined);
        const { waiting, ear } = waitingSession('1');
        assert.equal(enabled(), true);
        assert.equal(stub.status, '$(debug-start) armed, waiting for Envoy: Start Agent');
        assert.equal(await told(startAgent), undefined);
        assert.deepEqual(waiting.asked, ['startAgent']);
        assert.equal(stub.status, '$(loading~spin) Envoy: starting the agent');
        ear.onDidSendMessage(phase('end'));
        assert.equal(enabled(), false);
    });

    for (const end of ['onWillStopSession', 'onExit'] as const) {
        test(`goes when the session ends before its agent was started: ${end}`, () => {
            const { ear } = waitingSession('1');
            (ear[end] as () => void)();
            assert.equal(enabled(), false);
            assert.equal(stub.status, undefined);
        });
    }

    test('takes no notice of anything else that an adapter sends', () => {
        const ear = tracker(session('1'));
        ear.onDidSendMessage(phase('begin'));
        ear.onDidSendMessage({ type: 'event', event: 'output', body: { state: 'waiting' } });
        ear.onDidSendMessage({ type: 'response', command: 'envoyPhase', body: { state: 'waiting' } });
        assert.equal(enabled(), false);
    });

    test('is for the session that VS Code shows, else for the one that waits longest', async () => {
        const { waiting: first } = waitingSession('1');
        const { waiting: second } = waitingSession('2');
        stub.activeSession = second;
        assert.equal(await told(startAgent), undefined);
        assert.deepEqual([first.asked, second.asked], [[], ['startAgent']]);
        assert.equal(enabled(), true, 'the first still waits');
        assert.equal(await told(startAgent), undefined);
        assert.deepEqual([first.asked, second.asked], [['startAgent'], ['startAgent']]);
        assert.equal(enabled(), false);
    });

    test('asks once, however often it is given', async () => {
        const { waiting } = waitingSession('1');
        const [first, second] = await Promise.all([told(startAgent), told(startAgent)]);
        assert.deepEqual(waiting.asked, ['startAgent']);
        assert.deepEqual([first, second?.startsWith('No debug session waits')], [undefined, true]);
    });

    test('says why the adapter refuses it', async () => {
        const { waiting } = waitingSession('1');
        waiting.refusal = 'The agent cannot be started now.\n  The session ends. [ED1311]';
        assert.equal(await told(startAgent), waiting.refusal);
    });

    test('leaves an error that ends the startup to the session, which shows it', async () => {
        const { waiting } = waitingSession('1');
        waiting.refusal = 'The agent could not be started. [ED1303]';
        assert.equal(await told(startAgent), undefined);
    });

    test('says so when no session waits', async () => {
        assert.equal(await told(startAgent), 'No debug session waits for the start of its agent.\nA session does that with "agent": { "start": "manual" }.');
    });
});

suite('the command Envoy: Stop Agent', () => {
    test('is there while the agent of a session runs', async () => {
        assert.match((await told(stopAgent)) ?? '', /^No debug session has started an agent\./);
        const { waiting, ear } = waitingSession('1');
        assert.equal(enabled('envoy.agentRuns'), false);
        ear.onDidSendMessage(phase('end'));
        assert.equal(enabled('envoy.agentRuns'), true);
        assert.equal(await told(stopAgent), undefined);
        assert.deepEqual(waiting.asked, ['stopAgent']);
        (ear.onExit as () => void)();
        assert.equal(enabled('envoy.agentRuns'), false);
    });
});

suite('the status bar', () => {
    test('says what the session does that VS Code shows, unless another one waits for its agent', () => {
        const [shown, other] = [session('1'), session('2')];
        const [ear, otherEar] = [tracker(shown), tracker(other)];
        stub.activeSession = shown;
        ear.onDidSendMessage({ type: 'event', event: 'process' });
        assert.equal(stub.status, '$(debug-continue) Envoy: running');
        ear.onDidSendMessage({ type: 'event', event: 'stopped', body: { reason: 'breakpoint', description: 'Paused at main' } });
        assert.equal(stub.status, '$(debug-pause) Envoy: paused at main');
        otherEar.onDidSendMessage(phase('waiting'));
        assert.equal(stub.status, '$(debug-start) armed, waiting for Envoy: Start Agent');
        (otherEar.onExit as () => void)();
        assert.equal(stub.status, '$(debug-pause) Envoy: paused at main');
        (ear.onExit as () => void)();
        assert.equal(stub.status, undefined);
    });
});
