import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';

interface Schema {
    markdownDescription?: string;
    markdownEnumDescriptions?: string[];
    enum?: string[];
    properties?: Record<string, Schema>;
    items?: Schema;
}
interface Debugger {
    type: string;
    label: string;
    configurationAttributes: Record<'attach' | 'launch', { properties: Record<string, Schema> }>;
    initialConfigurations: Record<string, unknown>[];
    configurationSnippets: { body: Record<string, unknown> }[];
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
        const offered = [...envoy.initialConfigurations, ...envoy.configurationSnippets.map((snippet) => snippet.body)];
        assert.equal(offered.length, 2);
        for (const { name, type, request, ...attributes } of offered) {
            assert.deepEqual({ name, type, request }, { name: 'Envoy: Debug Startup', type: 'envoy', request: 'launch' });
            assert.equal(attributes['target'], 'local');
            assert.deepEqual(
                Object.keys(attributes).filter((attribute) => !(attribute in attach.properties)),
                [],
            );
        }
    });
});
