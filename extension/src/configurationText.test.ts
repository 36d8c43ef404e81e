import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withAttributes, withConfiguration } from './configurationText';

const mine = { name: 'Envoy', type: 'envoy', request: 'attach', target: 'statefulset/fortio-server' };

suite('a new configuration', () => {
    test('makes a launch.json where there is none', () => {
        for (const before of [undefined, '', ' \n']) {
            assert.deepEqual(JSON.parse(withConfiguration(before, mine)), { version: '0.2.0', configurations: [mine] });
        }
    });

    test('comes before the others, and they stay as they are, with their comments', () => {
        const after = withConfiguration('{\n    // mine\n    "configurations": [\n        {\n            "name": "a"\n        }, // first\n    ],\n}', mine);
        assert.match(after, /\/\/ mine\n/);
        assert.match(after, /\{\n {12}"name": "a"\n {8}\}, \/\/ first\n/);
        assert.ok(after.indexOf('"Envoy"') < after.indexOf('"a"'), after);
    });

    test('may be the only one', () => {
        assert.deepEqual(JSON.parse(withConfiguration('{"version": "0.2.0"}', mine)), { version: '0.2.0', configurations: [mine] });
    });

    test('gets a name of its own', () => {
        const twice = withConfiguration(withConfiguration(withConfiguration(undefined, mine), mine), mine);
        const { configurations } = JSON.parse(twice) as { configurations: { name: string }[] };
        assert.deepEqual(configurations.map(({ name }) => name), ['Envoy 3', 'Envoy 2', 'Envoy']);
    });
});

test('a configuration gets other attributes, loses one, and all else stays', () => {
    const before = '{"configurations": [{"name": "a", "target": "x"}, {"name": "b", /* here */ "target": "local", "context": "far", "program": "/p"}]}';
    const after = withAttributes(before, 'b', { target: 'pod/a', namespace: 'demo', context: undefined });
    assert.ok(after.includes('/* here */'), after);
    assert.deepEqual(JSON.parse(after.replace('/* here */', '')), {
        configurations: [{ name: 'a', target: 'x' }, { name: 'b', target: 'pod/a', program: '/p', namespace: 'demo' }],
    });
});
