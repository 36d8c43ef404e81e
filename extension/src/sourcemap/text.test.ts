import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceMapText } from './text';

const none = { otherConfiguration: [], guessed: [], changed: [], savedLater: [], unmapped: [] };

test('a source map is told by what is found, and then by what is not', () => {
    const text = sourceMapText({
        ...none,
        ...{ elf: '/b/envoy', buildId: '9e55', workTree: '/w', files: 3, mapped: { content: 1, path: 1 } },
        roots: [{ path: '', kind: 'bazel', files: 1 }],
        unmapped: [{ path: 'a.cc', tried: ['/w/a.cc'] }],
        changed: [{ path: 'b.cc', local: '/w/b.cc' }],
    });
    assert.deepEqual(text.split('\n'), [
        'Source files of /b/envoy',
        '',
        'build-id     9e55',
        'work tree    /w',
        'root         (relative)   bazel, 1 file',
        'found        2 of 3 files (1 by content, 1 by path)',
        '',
        'Missing: not on this machine (1)',
        '  a.cc',
        '      tried /w/a.cc',
        '',
        'Changed: not what was compiled (1)',
        '  b.cc → /w/b.cc',
        '',
    ]);
});

test('a source map with thousands of missing files does not list them all', () => {
    const unmapped = Array.from({ length: 5000 }, (_, index) => ({ path: `${index}.cc` }));
    const text = sourceMapText({ ...none, elf: '/e', buildId: '', workTree: '', files: 5000, mapped: {}, roots: [], unmapped });
    assert.match(text, / {2}199\.cc\n {2}… and 4800 more\n/);
    assert.match(text, /work tree {4}not known/);
});
