import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The attributes of a debug configuration for the sample Envoy, started by the real pilot-agent. */
export interface SampleAttributes {
    readonly target: 'local';
    readonly program: string;
    readonly envoyPath: string;
    readonly agent: { readonly command: string[]; readonly env: Record<string, string>; readonly cwd: string };
}

/** Where the sources of the sample lie. Its debug information calls this folder /proc/self/cwd, as Bazel does. */
export const sampleFolder = resolve('test/sample');

/**
 * Lays out the folder that the agent runs in, and returns what a user would write into launch.json.
 * Where the sources are is not among it: that is for envoydbg to find.
 *
 * @param agentFolder is made
 */
export function sampleAttributes(agentFolder: string): SampleAttributes {
    const envoyPath = resolve('bin/sample/envoy');
    const environment = execFileSync('test/setup/agent.sh', ['--print', agentFolder, envoyPath], { encoding: 'utf8' });
    const env = Object.fromEntries(
        environment
            .trimEnd()
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
    );
    return {
        target: 'local',
        program: resolve('bin/sample/envoy.debug'),
        envoyPath,
        agent: { command: [resolve('bin/tools/pilot-agent'), 'proxy', 'sidecar'], env, cwd: agentFolder },
    };
}

/**
 * Makes a work tree of Envoy's, built, in which pilot-agent can run, and returns the environment that the agent needs. For
 * those who take what VS Code offers without a launch.json: bazel-bin/envoy, and the pilot-agent of the PATH.
 *
 * @param folder is made anew
 */
export function envoyTree(folder: string): Record<string, string> {
    rmSync(folder, { recursive: true, force: true });
    for (const name of ['WORKSPACE', 'source']) {
        cpSync(join('test/sample', name), join(folder, name), { recursive: true });
    }
    mkdirSync(join(folder, 'bazel-bin'));
    copyFileSync('bin/sample/envoy.debug', join(folder, 'bazel-bin/envoy'));
    return sampleAttributes(folder).agent.env;
}
