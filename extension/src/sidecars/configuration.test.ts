import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf, configurationFor } from './configuration';
import { items } from './items';

const server = { target: 'statefulset/fortio-server', namespace: 'demo', container: 'istio-proxy' };

test('a configuration names of a sidecar what is not found by itself', () => {
    assert.deepEqual(configurationFor({ context: 'far' }, server, '/envoy'), {
        ...{ name: 'Envoy: statefulset/fortio-server (demo)', type: 'envoy', request: 'attach' },
        ...{ target: 'statefulset/fortio-server', namespace: 'demo', context: 'far', program: '/envoy' },
    });
    assert.equal(configurationFor({}, { ...server, container: 'envoy' }, '/envoy')['container'], 'envoy');
});

test('a configuration for another sidecar loses what led to the one before', () => {
    const attributes = attributesOf({}, server);
    assert.ok('container' in attributes && 'context' in attributes);
    assert.equal(attributes['container'], undefined);
});

test('sidecars are listed with those that wait first', () => {
    const other = { ...server, pod: 'fortio-server-0', state: 'running' };
    const held = { ...server, namespace: 'zoo', target: 'pod/x', pod: 'x', state: 'held', who: 'me@here' };
    assert.deepEqual(
        items([other, held]).map(({ label, description, detail }) => [label, description, detail]),
        [
            ['pod/x', 'zoo · held, by me@here', 'x / istio-proxy'],
            ['statefulset/fortio-server', 'demo · running', 'fortio-server-0 / istio-proxy'],
        ],
    );
});
