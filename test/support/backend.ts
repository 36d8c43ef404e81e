import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

// npm runs its scripts in the folder of package.json.
const require = createRequire(join(process.cwd(), 'package.json'));
const { version } = require('./package.json') as { version: string };

/** What a stand-in for envoydbg does otherwise than a backend that is fine. */
export interface Ways {
    readonly version?: string;
    /** Ends with this exit code as soon as it is asked for anything but its first answer. */
    readonly dies?: number;
}

/**
 * Writes a program that stands in for envoydbg: `version` says its version, and `serve` speaks JSON-RPC. Its socket is called
 * dap- and how often it was started. The request "debuggers" is answered, "hold" only when it is cancelled, and "held" with an error.
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
const connection = createMessageConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout));
connection.onClose(() => process.exit());
connection.onRequest('initialize', ({ folders }) => ({ version: '${ways.version ?? version}+abc', socket: require('node:path').join(__dirname, 'dap-' + starts) }));
connection.onRequest('debuggers', () => ({ debuggers: [] }));
connection.onRequest('hold', (_, token) => new Promise((_, reject) => token.onCancellationRequested(() => reject(new ResponseError(-32800, 'cancelled')))));
connection.onRequest('held', () => new ResponseError(1, 'no', { id: 'ED1605', what: 'The cluster does not permit what is needed.', do: 'Ask for it.' }));
connection.onRequest('contexts', () => { process.stderr.write('a bug\\n', () => process.exit(${ways.dies ?? 0})); return new Promise(() => undefined); });
connection.listen();
`,
    );
    chmodSync(path, 0o755);
}
