import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';

interface Schema {
    markdownDescription?: string;
    markdownEnumDescriptions?: string[];
    enum?: string[];
    default?: unknown;
    properties?: Record<string, Schema>;
    items?: Schema;
}
interface Debugger {
    type: string;
    label: string;
    configurationAttributes: Record<'attach' | 'launch', { properties: Record<string, Schema> }>;
    initialConfigurations: Record<string, unknown>[];
    configurationSnippets: { label: string; description: string; body: Record<string, unknown> }[];
}

// npm runs its scripts in the folder of package.json.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { contributes: { debuggers: [Debugger] } };
const [envoy] = manifest.contributes.debuggers;
const { attach, launch } = envoy.configurationAttributes;

suite('the manifest', () => {
    test('explains every attribute, to its last property and value', () => {
        const silent: string[] = [];
        const check = (name: string, schema: Schema): void => {
            if (!schema.markdownDescription) {
                silent.push(name);
            }
            for (const values of [schema, schema.items]) {
                if (values?.enum && values.enum.length !== values.markdownEnumDescriptions?.length) {
                    silent.push(`${name}: the values ${values.enum.join(', ')}`);
                }
            }
            for (const [property, inner] of Object.entries(schema.properties ?? {})) {
                check(`${name}.${property}`, inner);
            }
        };
        for (const [request, { properties }] of Object.entries(envoy.configurationAttributes)) {
            for (const [name, schema] of Object.entries(properties)) {
                check(`${request} ${name}`, schema);
            }
        }
        assert.deepEqual(silent, []);
    });

    test('says the same of an attribute in launch and in attach', () => {
        for (const [name, schema] of Object.entries(launch.properties)) {
            if (name in attach.properties) {
                assert.deepEqual(schema, attach.properties[name], name);
            }
        }
    });

    test('offers configurations made of attributes that it knows', () => {
        const offered = envoy.initialConfigurations;
        assert.deepEqual(
            offered.map(({ name, request }) => `${request as string} ${name as string}`),
            ['launch Envoy: Debug Startup', 'attach Envoy: Debug Startup in Kubernetes', 'attach Envoy: Attach to Process', 'launch Envoy: Launch Program'],
        );
        for (const { name, type, request, ...attributes } of offered) {
            assert.equal(type, 'envoy');
            const { properties } = envoy.configurationAttributes[request as 'attach' | 'launch'];
            assert.deepEqual(Object.keys(attributes).filter((attribute) => !(attribute in properties)), [], name as string);
        }
    });

    test('offers as snippets what a new launch.json has, and more', () => {
        // In a snippet, ^"\\${…}" stands for "${…}".
        const unescaped = JSON.parse(
            JSON.stringify(envoy.configurationSnippets.map(({ body }) => body), (_, value: unknown) =>
                typeof value === 'string' ? value.replace(/^\^"\\(.*)"$/, '$1') : value,
            ),
        ) as unknown;
        const bodies = unescaped as Record<string, unknown>[];
        assert.deepEqual(bodies.slice(0, envoy.initialConfigurations.length), envoy.initialConfigurations);
        assert.deepEqual(
            envoy.configurationSnippets.map(({ label }) => label),
            [...envoy.initialConfigurations.map(({ name }) => name), 'Envoy: Open Core File'],
        );
        for (const { name, type, request, ...attributes } of bodies) {
            assert.equal(type, 'envoy');
            const { properties } = envoy.configurationAttributes[request as 'attach' | 'launch'];
            assert.deepEqual(Object.keys(attributes).filter((attribute) => !(attribute in properties)), [], name as string);
        }
    });

    test('offers what the README shows as the first configuration', () => {
        const [, shown] = /```json\n(.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
        const { agent, ...first } = envoy.initialConfigurations[0] ?? {};
        assert.deepEqual(JSON.parse(shown ?? ''), first);
        assert.deepEqual(agent, { command: launch.properties['agent']?.properties?.['command']?.default });
    });
});
