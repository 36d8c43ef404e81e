import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { attributeRange } from './launchJson';

const launchJson = `{
    // mine
    "version": "0.2.0",
    "configurations": [
        { "name": "other", "program": "/other" },
        {
            "name": "Envoy",
            "type": "envoy",
            "agent": {
                "command": ["pilot-agent"],
            },
            "program": "/bin/envoy",
        },
    ],
}`;

/** The text that is selected. */
function selected(text: string, name: string, attribute?: string): string | undefined {
    const range = attributeRange(text, name, attribute);
    return range && text.slice(range.offset, range.offset + range.length);
}

suite('where an attribute stands', () => {
    test('is its name and value, in the configuration of that name', () => {
        assert.equal(selected(launchJson, 'Envoy', 'program'), '"program": "/bin/envoy"');
        assert.equal(selected(launchJson, 'other', 'program'), '"program": "/other"');
        assert.equal(selected(launchJson, 'Envoy', 'agent.command'), '"command": ["pilot-agent"]');
    });

    test('is where it belongs if it is not there', () => {
        assert.match(selected(launchJson, 'Envoy', 'agent.env') ?? '', /^"agent": \{/);
        assert.equal(selected(launchJson, 'Envoy', 'workTree'), '"name": "Envoy"');
        assert.equal(selected(launchJson, 'Envoy'), '"name": "Envoy"');
    });

    test('may be in a workspace file or in settings', () => {
        assert.equal(selected(`{ "folders": [], "launch": ${launchJson} }`, 'Envoy', 'program'), '"program": "/bin/envoy"');
    });

    test('is nowhere if no configuration has that name', () => {
        for (const text of [launchJson.replaceAll('Envoy', 'x'), '', '{', '[]', '{"configurations": 1}']) {
            assert.equal(selected(text, 'Envoy', 'program'), undefined, text);
        }
    });
});
