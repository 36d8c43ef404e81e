import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

/** A file in a zip. */
export interface Entry {
    /** Its permissions, as Unix has them. */
    readonly mode: number;
    readonly bytes: () => Buffer;
}

const directoryEnd = 0x06054b50;
const directoryEntry = 0x02014b50;

/** The files in a zip that is smaller than 4 GiB, by their paths, as its directory lists them. */
export function unzip(file: string): Map<string, Entry> {
    const zip = readFileSync(file);
    const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
    assert.ok(end >= 0 && zip.readUInt32LE(end) === directoryEnd, `${file} is no zip`);
    const entries = new Map<string, Entry>();
    let at = zip.readUInt32LE(end + 16);
    for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
        assert.equal(zip.readUInt32LE(at), directoryEntry);
        const method = zip.readUInt16LE(at + 10);
        const size = zip.readUInt32LE(at + 20);
        const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [number, number, number];
        const start = zip.readUInt32LE(at + 42);
        const bytes = (): Buffer => {
            const data = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
            const packed = zip.subarray(data, data + size);
            return method === 0 ? packed : inflateRawSync(packed);
        };
        entries.set(zip.toString('utf8', at + 46, at + 46 + name), { mode: zip.readUInt32LE(at + 38) >>> 16, bytes });
        at += 46 + name + extra + comment;
    }
    return entries;
}
