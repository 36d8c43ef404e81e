import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { setup, suite, teardown, test } from 'mocha';
import * as vscode from 'vscode';
import { onlyTheseRun } from '../support/processes';
import { sampleAttributes } from '../support/sample';
import { next, Traffic } from './life';

/** The programs of vscode-test, code-server and the browser, and the window's backend. */
const bystanders = ['dash', 'node', 'chromium', 'chrome_crashpad_handler', 'envoydbg'];

interface Frame {
    readonly id: number;
    readonly name: string;
    readonly line: number;
    readonly source: { readonly path: string };
}

async function topFrame(session: vscode.DebugSession, { threadId }: Readonly<Record<string, unknown>>): Promise<Frame> {
    const { stackFrames } = (await session.customRequest('stackTrace', { threadId, startFrame: 0, levels: 1 })) as { stackFrames: Frame[] };
    const [top] = stackFrames;
    assert.ok(top);
    return top;
}

const startup = ['preflight', 'debug server', 'symbols', 'armed', 'agent started', 'attached', 'breakpoints'];

suite('a debug session', () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    const main = join(folder.uri.fsPath, 'source/exe/main_common.cc');
    // Laid out by .vscode-test.mjs already. Nothing stands by: these stories look at what a session leaves.
    const attributes = { ...sampleAttributes(folder.uri.fsPath), program: join(folder.uri.fsPath, 'bazel-bin/envoy'), lldbDap: resolve('bin/tools/lldb-19/bin/lldb-dap'), warm: false };
    let traffic: Traffic;

    setup(() => {
        traffic = new Traffic();
    });

    teardown(async () => {
        await vscode.debug.stopDebugging();
        traffic.dispose();
        vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
        await onlyTheseRun(bystanders, 10);
    });

    /** Starts a session, and returns it when an event of this name matches. VS Code takes it for started only when Envoy runs. */
    async function start(more: object, event: string, matches?: (body: Readonly<Record<string, unknown>>) => boolean): Promise<vscode.DebugSession> {
        const started = vscode.debug.startDebugging(folder, { name: 'startup', type: 'envoy', request: 'launch', ...attributes, ...more });
        await Promise.race([traffic.event(event, 1, matches), refused(started)]);
        const [session] = traffic.sessions;
        assert.ok(session);
        return session;
    }

    test('starts, stops in main at its preset, steps, and ends with all that it has started', async () => {
        const session = await start({ breakpointPresets: ['main'] }, 'stopped');
        assert.deepEqual(
            traffic.events('envoyPhase').filter(({ state }) => state === 'end').map(({ phase }) => phase),
            startup,
        );
        const frame = await topFrame(session, await traffic.event('stopped'));
        assert.match(frame.name, /^Envoy::MainCommon::main\(/);
        // VS Code makes URIs of the adapter's paths.
        assert.equal(vscode.Uri.parse(frame.source.path).path, main);

        await vscode.commands.executeCommand('workbench.action.debug.stepOver');
        const { id: frameId, line } = await topFrame(session, await traffic.event('stopped', 1, ({ reason }) => reason === 'step'));
        assert.ok(line > frame.line, `from line ${frame.line} to ${line}`);
        const { result } = (await session.customRequest('evaluate', { expression: 'Envoy::main_began', context: 'watch', frameId })) as { result: string };
        assert.equal(result, '1');

        const ended = next(vscode.debug.onDidTerminateDebugSession, 'the end of the session');
        await vscode.debug.stopDebugging(session);
        assert.equal((await ended).id, session.id);
    });

    test('binds the breakpoints that VS Code has before Envoy runs', async () => {
        const text = await vscode.workspace.openTextDocument(join(folder.uri.fsPath, 'source/server/server.cc'));
        const line = text.getText().split('\n').findIndex((candidate) => candidate.includes('starting main dispatch loop'));
        assert.notEqual(line, -1);
        const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(text.uri, new vscode.Position(line, 0)));
        vscode.debug.addBreakpoints([breakpoint]);
        const session = await start({}, 'stopped');
        const { reason } = await traffic.event('stopped');
        assert.equal(reason, 'breakpoint');
        const bound = (await session.getDebugProtocolBreakpoint(breakpoint)) as { verified?: boolean; line?: number } | undefined;
        assert.deepEqual([bound?.verified, bound?.line], [true, line + 1]);
    });

    test('waits with its agent until the command Start Agent', async () => {
        await start({ agent: { ...attributes.agent, start: 'manual' }, breakpointPresets: ['main'] }, 'envoyPhase', ({ state }) => state === 'waiting');
        assert.deepEqual(traffic.events('envoyPhase').filter(({ phase }) => phase === 'attached'), []);
        await vscode.commands.executeCommand('envoy.startAgent');
        await traffic.event('stopped');
    });

    test('that is stopped while it waits for the agent ends at once', async () => {
        await start({ agent: { ...attributes.agent, start: 'manual' } }, 'envoyPhase', ({ state }) => state === 'waiting');
        await vscode.debug.stopDebugging();
        await onlyTheseRun(bystanders, 10);
        assert.deepEqual(traffic.events('stopped'), []);
        assert.equal(vscode.debug.activeDebugSession, undefined);
    });

    test('does not start without a debug adapter that can be run', async () => {
        const settings = vscode.workspace.getConfiguration('envoy');
        await settings.update('adapterPath', '/nowhere/envoydbg', vscode.ConfigurationTarget.Global);
        try {
            assert.equal(await vscode.debug.startDebugging(folder, { name: 'startup', type: 'envoy', request: 'launch', ...attributes }), false);
        } finally {
            await settings.update('adapterPath', undefined, vscode.ConfigurationTarget.Global);
        }
        assert.deepEqual(traffic.messages, []);
    });
});

/** Fails when VS Code refuses to start the session. */
async function refused(started: Thenable<boolean>): Promise<never> {
    assert.ok(await started, 'VS Code has not started the session');
    return new Promise(() => undefined);
}
