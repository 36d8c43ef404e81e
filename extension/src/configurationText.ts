/** Writes configurations into a launch.json, with its comments kept. Nothing here depends on VS Code. */

import { applyEdits, type FormattingOptions, getNodeValue, findNodeAtLocation, type JSONPath, modify, parseTree } from 'jsonc-parser';
import type { Configuration } from './configurations';

const formattingOptions: FormattingOptions = { insertSpaces: true, tabSize: 4, eol: '\n' };

const empty = '{\n    "version": "0.2.0",\n    "configurations": []\n}\n';

/** A text with one more configuration, the first, where VS Code adds them, too. An undefined or blank text becomes a launch.json. */
export function withConfiguration(text: string | undefined, configuration: Configuration): string {
    const before = text === undefined || text.trim() === '' ? empty : text;
    const { name, ...rest } = configuration;
    const added = { name: unused(name, names(before)), ...rest };
    const root = parseTree(before, [], { allowTrailingComma: true });
    const has = root && findNodeAtLocation(root, ['configurations']) !== undefined;
    return has ? changed(before, ['configurations', 0], added, true) : changed(before, ['configurations'], [added], false);
}

/** A text in which the configuration of that name has these attributes; undefined takes one out. The rest stays. */
export function withAttributes(text: string, name: string, attributes: Readonly<Record<string, unknown>>): string {
    const index = names(text).indexOf(name);
    return Object.entries(attributes).reduce((before, [attribute, value]) => changed(before, ['configurations', index, attribute], value, false), text);
}

function changed(text: string, path: JSONPath, value: unknown, isArrayInsertion: boolean): string {
    return applyEdits(text, modify(text, path, value, { formattingOptions, isArrayInsertion }));
}

/** The names of the configurations in a text, in order. */
function names(text: string): unknown[] {
    const root = parseTree(text, [], { allowTrailingComma: true });
    const all: unknown = root && getNodeValue(root);
    const { configurations } = (all ?? {}) as { configurations?: unknown };
    return Array.isArray(configurations) ? configurations.map((each: unknown) => (each as { name?: unknown } | null)?.name) : [];
}

/** VS Code starts a configuration by its name, so two may not have the same. */
function unused(name: string, taken: readonly unknown[]): string {
    for (let number = 1; ; number++) {
        const candidate = number === 1 ? name : `${name} ${number}`;
        if (!taken.includes(candidate)) {
            return candidate;
        }
    }
}
