import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after } from 'node:test';
import { Cluster } from '../support/cluster';
import { work } from '../vscode/folders';
import { type Setting, VSCode } from '../vscode/stage';
import { type Workbench } from '../vscode/workbench';

/** VS Code and a cluster that its user works with. */
export class Place {
    private reached: Cluster | undefined;
    readonly vscode: VSCode;

    /** For the tests of this file. */
    constructor() {
        this.vscode = new VSCode(async (home) => {
            this.reached = await Cluster.reach(home);
            return { env: { KUBECONFIG: this.reached.kubeconfig } };
        });
        after(() => this.reached?.close());
    }

    get cluster(): Cluster {
        assert.ok(this.reached !== undefined, 'VS Code has not been started');
        return this.reached;
    }
}

/** The configuration that debugs the sample Envoy of the image in the sidecar that the user picks. */
export const pickedName = 'Envoy: Debug a Sidecar';

/** A work tree of Envoy's, built, with that configuration and the released Envoy of the image beside the one that was built. */
export function tree(scratch: string): Setting {
    const configuration = {
        ...{ type: 'envoy', request: 'attach', name: pickedName, target: '${command:envoy.pickSidecar}' },
        ...{ program: '${workspaceFolder}/bazel-bin/envoy', envoyPath: '/usr/local/bin/envoy-sample', breakpointPresets: ['main'] },
    };
    return { folder: work(join(scratch, 'proxy'), () => [configuration]) };
}

/** The yellow line is in MainCommon::main, in the file of the folder. */
export async function stopsInMain(workbench: Workbench, folder: string): Promise<number> {
    const { file, line } = await workbench.yellowLine(120);
    assert.equal(file, join(folder, 'source/exe/main_common.cc'));
    return line;
}
