import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { envoyTree, type SampleAttributes, sampleAttributes } from '../support/sample';

/** The attributes of the sample in a folder that `work` has made. */
export type Attributes = SampleAttributes & { readonly type: 'envoy'; readonly request: 'launch'; readonly breakpointPresets: readonly string[] };

/**
 * Makes a work tree of Envoy's, built, with a launch.json, and returns its path.
 *
 * @param configurations returns those of launch.json, each with a name, from the attributes of the sample
 */
export function work(folder: string, configurations: (sample: Attributes) => object[]): string {
    envoyTree(folder);
    const sample: Attributes = { ...{ type: 'envoy', request: 'launch', breakpointPresets: ['main'] }, ...sampleIn(folder) };
    mkdirSync(join(folder, '.vscode'));
    writeFileSync(join(folder, '.vscode/launch.json'), JSON.stringify({ version: '0.2.0', configurations: configurations(sample) }, undefined, 2));
    return folder;
}

/** The attributes of the sample in such a work tree. */
export function sampleIn(folder: string): SampleAttributes {
    return { ...sampleAttributes(folder), program: join(folder, 'bazel-bin/envoy') };
}
