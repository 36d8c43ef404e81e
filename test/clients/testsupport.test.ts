import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type DebugClient } from '@vscode/debugadapter-testsupport';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { onlyTheseRun } from '../support/processes';
import { sampleAttributes, sampleFolder } from '../support/sample';
import { RecordingClient } from './recordingClient';

test('@vscode/debugadapter-testsupport stops the sample at a breakpoint in main, and steps', { timeout: 120_000 }, async (t) => {
    const agentFolder = mkdtempSync(join(tmpdir(), 'envoydbg-clients-'));
    // The client starts a program with one argument: envoydbg dap.
    const client = new RecordingClient(resolve('bin/envoydbg'), 'dap', 'envoy');
    await client.start();
    t.after(() => {
        client.kill();
        rmSync(agentFolder, { recursive: true, force: true });
    });
    try {
        await Promise.race([stopInMain(client, agentFolder), client.endOfAdapter()]);
        // The shell is the first process of the namespace, node the test.
        await onlyTheseRun(['dash', 'node'], 10);
    } catch (error) {
        console.log(`The traffic of the session:\n${client.traffic()}`);
        throw error;
    }
});

/** From the first request to the last: what a client does that sets one breakpoint, looks at the stack there, and steps. */
async function stopInMain(client: DebugClient, agentFolder: string): Promise<void> {
    const file = join(sampleFolder, 'source/exe/main_common.cc');
    const line = lineOf(file, 'main_began = main_began + 1;');

    const { body: capabilities } = await client.initializeRequest();
    assert.equal(capabilities?.supportsConfigurationDoneRequest, true);

    // Not waitForEvent: its timer would keep a failed test from ending.
    const startup = { signal: AbortSignal.timeout(30_000) };
    // The adapter may answer attach before or after the requests that follow it.
    const initialized = once(client, 'initialized', startup);
    const stopped = once(client, 'stopped', startup) as Promise<[DebugProtocol.StoppedEvent]>;
    const attributes = { ...sampleAttributes(agentFolder), workTree: sampleFolder, lldbDap: resolve('bin/tools/lldb-19/bin/lldb-dap') };
    const attached = client.attachRequest(attributes as DebugProtocol.AttachRequestArguments);
    await Promise.race([initialized, attached]);
    await initialized;
    const { body: set } = await client.setBreakpointsRequest({ source: { path: file }, breakpoints: [{ line }] });
    assert.deepEqual(set.breakpoints.map((breakpoint) => [breakpoint.verified, breakpoint.line]), [[true, line]]);
    await client.configurationDoneRequest();
    await attached;

    const [{ body: stop }] = await stopped;
    assert.equal(stop.reason, 'breakpoint');
    assert(stop.threadId !== undefined);
    const { body: stack } = await client.stackTraceRequest({ threadId: stop.threadId, startFrame: 0, levels: 2 });
    const [top, caller] = stack.stackFrames;
    assert.match(top?.name ?? '', /^Envoy::MainCommon::main\(/);
    assert.deepEqual([top?.source?.path, top?.line], [file, line]);
    assert.deepEqual([caller?.name, caller?.source?.path], ['main', join(sampleFolder, 'source/exe/main.cc')]);

    const [[{ body: stepped }]] = await Promise.all([
        once(client, 'stopped', { signal: AbortSignal.timeout(30_000) }) as Promise<[DebugProtocol.StoppedEvent]>,
        client.nextRequest({ threadId: stop.threadId }),
    ]);
    assert.equal(stepped.reason, 'step');
    const { body: behind } = await client.stackTraceRequest({ threadId: stop.threadId, startFrame: 0, levels: 1 });
    assert.deepEqual(behind.stackFrames.map(({ source, line: at }) => [source?.path, at]), [[file, line + 1]]);

    await client.disconnectRequest({});
}

/** The number, from 1, of the first line of the file that holds the text. */
function lineOf(file: string, text: string): number {
    const line = readFileSync(file, 'utf8').split('\n').findIndex((candidate) => candidate.includes(text)) + 1;
    assert.notEqual(line, 0, `${file} has no line with "${text}"`);
    return line;
}
