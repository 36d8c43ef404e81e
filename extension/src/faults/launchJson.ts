/** Finds where a configuration is written. Nothing here depends on VS Code. */

import { findNodeAtLocation, getNodeValue, type JSONPath, type Node, parseTree } from 'jsonc-parser';

/** A part of a text: from an offset, that many characters. */
export interface Range {
    readonly offset: number;
    readonly length: number;
}

/**
 * Returns where an attribute of a configuration stands, with its name and value; where the configuration has no such
 * attribute, its innermost parent that is there, at most the name of the configuration itself. Undefined if the text has
 * no such configuration.
 *
 * @param text a launch.json, a workspace file, or settings; comments and trailing commas are fine
 * @param attribute such as "program" or "agent.command"; undefined for the configuration
 */
export function attributeRange(text: string, name: string, attribute: string | undefined): Range | undefined {
    const root = parseTree(text, [], { allowTrailingComma: true });
    const configuration = configurations(root).find((node) => valueAt(node, ['name']) === name);
    if (configuration === undefined) {
        return undefined;
    }
    for (let path = attribute?.split('.') ?? []; path.length > 0; path = path.slice(0, -1)) {
        const found = findNodeAtLocation(configuration, path)?.parent;
        if (found !== undefined) {
            return { offset: found.offset, length: found.length };
        }
    }
    const { offset, length } = findNodeAtLocation(configuration, ['name'])?.parent ?? configuration;
    return { offset, length };
}

/** The configurations of a launch.json, or of a file that has one under "launch". */
function configurations(root: Node | undefined): Node[] {
    const paths: JSONPath[] = [['configurations'], ['launch', 'configurations']];
    return paths.flatMap((path) => (root === undefined ? [] : (findNodeAtLocation(root, path)?.children ?? [])));
}

function valueAt(node: Node, path: JSONPath): unknown {
    const found = findNodeAtLocation(node, path);
    return found === undefined ? undefined : getNodeValue(found);
}
