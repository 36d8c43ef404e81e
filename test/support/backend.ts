import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

// npm runs its scripts in the folder of package.json.
const require = createRequire(join(process.cwd(), 'package.json'));
const { version } = require('./package.json') as { version: string };

/** What a stand-in for envoydbg does otherwise than a backend that is fine. */
export interface Ways {
    readonly version?: string;
    /** The exit code at the request "program". */
    readonly dies?: number;
}

/** What each debug session was opened with. */
export function opened(path: string): unknown[] {
    return readFileSync(`${path}.opened`, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as unknown);
}

/**
 * Writes a program that stands in for envoydbg: `version` says its version, and `serve` speaks JSON-RPC. Its socket is called
 * dap- and how often it was started, and behind each session that is not cold an lldb-dap stands by. It knows two clusters, far
 * and near, with a sidecar in near. "hold" is answered only when it is cancelled, "held" with an error, and "program" ends the process.
 */
export function fakeBackend(path: string, ways: Ways = {}): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
        path,
        `#!${process.execPath}
const { createMessageConnection, StreamMessageReader, StreamMessageWriter, ResponseError } = require(${JSON.stringify(require.resolve('vscode-jsonrpc/node'))});
const { appendFileSync, readFileSync } = require('node:fs');
if (process.argv[2] === 'version') {
    console.log('envoydbg ${ways.version ?? version}');
    process.exit();
}
appendFileSync(__filename + '.starts', '.');
const starts = readFileSync(__filename + '.starts', 'utf8').length;
// The ids of the requests, by their params: this side is not told them either.
const ids = new Map();
class Reader extends StreamMessageReader {
    listen(callback) {
        return super.listen((message) => { ids.set(message.params, String(message.id)); callback(message); });
    }
}
const connection = createMessageConnection(new Reader(process.stdin), new StreamMessageWriter(process.stdout));
const say = (params, message) => connection.sendNotification('progress', { request: ids.get(params), message });
connection.onClose(() => process.exit());
connection.onRequest('initialize', (hello) => (hello.version === '${ways.version ?? version}' ? { version: hello.version + '+abc' } : new ResponseError(1, 'no', { what: 'The versions differ.' })));
connection.onRequest('open', (params) => {
    appendFileSync(__filename + '.opened', JSON.stringify(params) + '\\n');
    if (params.cold !== true) {
        void connection.sendNotification('standBy', { state: 'reading', program: '/work/bazel-bin/envoy-static' });
        void connection.sendNotification('standBy', { state: 'ready', program: '/work/bazel-bin/envoy-static', memory: 1_170_000_000 });
    }
    return { socket: require('node:path').join(__dirname, 'dap-' + starts) };
});
connection.onRequest('dropStandBy', () => { void connection.sendNotification('standBy', { state: 'none' }); return {}; });
connection.onRequest('debuggers', () => ({ debuggers: [] }));
connection.onRequest('release', async (params) => { await say(params, 'releasing ' + params.target); return { released: [] }; });
connection.onRequest('hold', (params, token) => new Promise((_, reject) => {
    const cancelled = () => reject(new ResponseError(-32800, 'cancelled'));
    void say(params, 'holding ' + params.target);
    token.onCancellationRequested(cancelled);
    if (token.isCancellationRequested) { // before it was looked at, of which vscode-jsonrpc's token tells nobody
        cancelled();
    }
}));
connection.onRequest('held', () => new ResponseError(1, 'no', { id: 'ED1605', what: 'The cluster does not permit what is needed.', do: 'Ask for it.' }));
connection.onRequest('contexts', () => ({ contexts: ['far', 'near'].map((name) => ({ name, cluster: name + '.example' })), current: 'near' }));
connection.onRequest('sidecars', ({ context, namespace }) => ({
    sidecars: context === 'far' ? [] : [{ namespace: namespace ?? 'demo', target: 'statefulset/fortio-server', pod: 'fortio-server-0', container: 'istio-proxy', state: 'running' }],
}));
connection.onRequest('program', () => { process.stderr.write('a bug\\n', () => process.exit(${ways.dies ?? 0})); return new Promise(() => undefined); });
connection.listen();
`,
    );
    chmodSync(path, 0o755);
}
