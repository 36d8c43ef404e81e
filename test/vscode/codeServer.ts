import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const startSeconds = 60;
const installSeconds = 60;

/** The user's settings: nothing opens, asks or watches by itself, but VS Code asks about the authors of a folder when it opens it. */
const quiet = {
    // Stories look at what a session leaves. What stands by for the next one has a story of its own.
    'envoy.warm': false,
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'chat.disableAIFeatures': true,
    'chat.agentHost.enabled': false,
    'remote.autoForwardPorts': false,
    'git.enabled': false,
    'security.workspace.trust.startupPrompt': 'once',
};

/** What a code-server is started with. */
export interface Options {
    /** The extension to install before the start, if any. */
    readonly vsix?: string;
    /** The settings of its machine, the only place for those that hold paths of programs. */
    readonly settings?: Record<string, unknown>;
    /** Is added to the environment, and so to that of the extensions and debug adapters. */
    readonly env?: NodeJS.ProcessEnv;
    /** More of its arguments. */
    readonly args?: readonly string[];
}

/** A code-server that keeps all it writes in one folder and answers on a loopback port of its own. */
export class CodeServer {
    private constructor(
        private readonly child: ChildProcess,
        private readonly said: string[],
        /** Where it answers, such as http://127.0.0.1:41234 */
        readonly url: string,
    ) {}

    /** @param home the folder for all that it writes; the user's home, too */
    static async start(home: string, { vsix, settings = {}, env: more = {}, args = [] }: Options): Promise<CodeServer> {
        const data = join(home, 'data');
        for (const [scope, values] of Object.entries({ User: quiet, Machine: settings })) {
            mkdirSync(join(data, scope), { recursive: true });
            writeFileSync(join(data, scope, 'settings.json'), JSON.stringify(values));
        }
        writeFileSync(join(home, 'config.yaml'), '');
        const node = 'bin/tools/node24';
        const base = ['bin/tools/code-server/out/node/entry.js', '--config', join(home, 'config.yaml'), '--user-data-dir', data, '--extensions-dir', join(home, 'extensions')];
        const env = {
            PATH: process.env['PATH'],
            HOME: home,
            XDG_CONFIG_HOME: home,
            XDG_CACHE_HOME: home,
            XDG_DATA_HOME: home,
            XDG_RUNTIME_DIR: home,
            EXTENSIONS_GALLERY: '{}',
            ...more,
        };
        if (vsix !== undefined) {
            await promisify(execFile)(node, [...base, '--install-extension', vsix], { env, timeout: installSeconds * 1000 });
        }
        const child = spawn(
            node,
            [
                ...base,
                ...['--bind-addr', '127.0.0.1:0', '--auth', 'none', '--ignore-last-opened'],
                ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
                ...args,
            ],
            // A process group of its own, since it starts others that outlive it.
            { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
        );
        const said: string[] = [];
        createInterface(child.stderr).on('line', (line) => said.push(line));
        const lines = createInterface(child.stdout).on('line', (line) => said.push(line));
        const server = (url: string): CodeServer => new CodeServer(child, said, url);
        return new Promise((started, failed) => {
            const tooLong = setTimeout(() => child.kill('SIGKILL'), startSeconds * 1000);
            child.on('error', failed);
            lines.on('line', (line) => {
                const url = /HTTP server listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
                if (url !== undefined) {
                    clearTimeout(tooLong);
                    started(server(url));
                }
            });
            lines.on('close', () => {
                clearTimeout(tooLong);
                failed(new Error(`code-server did not start within ${startSeconds} s; it said:\n${said.join('\n')}`));
            });
        });
    }

    /** All that it has printed. */
    output(): string {
        return this.said.join('\n');
    }

    async stop(): Promise<void> {
        const { pid, exitCode, signalCode } = this.child;
        if (pid === undefined || exitCode !== null || signalCode !== null) {
            return;
        }
        const exited = once(this.child, 'exit');
        process.kill(-pid, 'SIGKILL');
        await exited;
    }
}
