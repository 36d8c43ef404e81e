import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type * as vscode from 'vscode';
import { resetStub, type Session, session, stub } from '../../test/support/vscode';
import { AgentStarter } from './agentStarter';

beforeEach(() => {
    resetStub();
    new AgentStarter().register();
});

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

async function startAgent(): Promise<void> {
    await (stub.registered.get('command envoy.startAgent') as () => Promise<void>)();
}

/** Whether the palette has the command, as far as VS Code was told. */
function enabled(): unknown {
    return stub.executed.findLast(([command]) => command === 'setContext')?.[2] ?? false;
}

suite('the command Envoy: Start Agent', () => {
    test('is there, and in the status bar, while a session waits for its agent', async () => {
        assert.equal(enabled(), false);
        assert.equal(stub.status, undefined);
        const { waiting, ear } = waitingSession('1');
        assert.equal(enabled(), true);
        assert.equal(stub.status, '$(debug-start) armed, waiting for Envoy: Start Agent');
        await startAgent();
        assert.deepEqual(waiting.asked, ['startAgent']);
        ear.onDidSendMessage(phase('end'));
        assert.equal(enabled(), false);
        assert.equal(stub.status, undefined);
        assert.deepEqual(stub.errors, []);
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
        await startAgent();
        assert.deepEqual([first.asked, second.asked], [[], ['startAgent']]);
        assert.equal(enabled(), true, 'the first still waits');
        await startAgent();
        assert.deepEqual([first.asked, second.asked], [['startAgent'], ['startAgent']]);
        assert.equal(enabled(), false);
    });

    test('asks once, however often it is given', async () => {
        const { waiting } = waitingSession('1');
        await Promise.all([startAgent(), startAgent()]);
        assert.deepEqual(waiting.asked, ['startAgent']);
        assert.equal(stub.errors.length, 1);
    });

    test('shows why the adapter refuses it', async () => {
        const { waiting } = waitingSession('1');
        waiting.refusal = 'The agent cannot be started now.\n  The session ends. [ED1311]';
        await startAgent();
        assert.deepEqual(stub.errors, [{ message: waiting.refusal, buttons: [] }]);
    });

    test('leaves an error that ends the startup to VS Code, which shows it', async () => {
        const { waiting } = waitingSession('1');
        waiting.refusal = 'The agent could not be started. [ED1303]';
        await startAgent();
        assert.deepEqual(stub.errors, []);
    });

    test('says so when no session waits', async () => {
        await startAgent();
        assert.match(stub.errors[0]?.message ?? '', /^No debug session waits for the start of its agent\./);
    });
});
