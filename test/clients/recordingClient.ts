import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Readable, type Writable } from 'node:stream';
import { DebugClient } from '@vscode/debugadapter-testsupport';

/** The client of VS Code's own test kit for debug adapters, unchanged but that it keeps what was sent and received. */
export class RecordingClient extends DebugClient {
    private readonly chunks: string[] = [];
    private output: Readable | undefined;

    protected override connect(readable: Readable, writable: Writable): void {
        readable.on('data', (chunk: Buffer) => this.chunks.push(`← ${chunk.toString()}`));
        const write = writable.write.bind(writable) as (chunk: string, encoding: BufferEncoding) => boolean;
        writable.write = ((chunk: string, encoding: BufferEncoding) => {
            this.chunks.push(`→ ${chunk}`);
            return write(chunk, encoding);
        }) as Writable['write'];
        this.output = readable;
        super.connect(readable, writable);
    }

    /** Fails when the adapter closes its output, at which DebugClient itself would wait on for ever. */
    async endOfAdapter(): Promise<never> {
        assert(this.output, 'start() comes first');
        await once(this.output, 'close');
        throw new Error('the adapter has closed its output');
    }

    /** Ends the adapter. DebugClient's own stop() asks it first, and waits for ever when it has ended already. */
    kill(): void {
        (this as unknown as { stopAdapter(): void }).stopAdapter();
    }

    /** All bytes of both directions, in the order in which they passed here. */
    traffic(): string {
        return this.chunks.join('\n');
    }
}
