import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What kubectl waits for. */
const limit = '60s';

/**
 * The test cluster as the tests of the editor reach it. They run in a network of their own (test/support/in-own-network); the
 * one way out of it is a port of its loopback that leads to the API server's unix socket.
 */
export class Cluster {
    private readonly sockets = new Set<Socket>();

    private constructor(
        private readonly relay: Server,
        /** The path of an administrator's kubeconfig with one context. */
        readonly kubeconfig: string,
    ) {}

    /** @param folder gets the kubeconfig */
    static async reach(folder: string): Promise<Cluster> {
        const given = process.env['KUBECONFIG'];
        if (given === undefined) {
            throw new Error('KUBECONFIG names no cluster: run this by test/support/with-cluster');
        }
        const relay = createServer();
        const cluster = new Cluster(relay, join(folder, 'kubeconfig'));
        relay.on('connection', (near) => { cluster.lead(near, join(dirname(given), 'api.sock')); });
        await new Promise<void>((listens) => { relay.listen(0, '127.0.0.1', listens); });
        const address = relay.address();
        if (address === null || typeof address === 'string') {
            throw new Error('the relay has no port');
        }
        const config = JSON.parse(readFileSync(given, 'utf8')) as { clusters: { cluster: { server: string } }[] };
        for (const { cluster: each } of config.clusters) {
            each.server = `https://127.0.0.1:${address.port}`;
        }
        writeFileSync(cluster.kubeconfig, JSON.stringify(config), { mode: 0o600 });
        return cluster;
    }

    private lead(near: Socket, socket: string): void {
        const far = connect(socket);
        for (const [one, other] of [[near, far], [far, near]] as const) {
            this.sockets.add(one);
            one.pipe(other);
            one.on('error', () => other.destroy());
            one.on('close', () => {
                this.sockets.delete(one);
                other.destroy();
            });
        }
    }

    /** Ends all connections to the API server; new ones are accepted. */
    cut(): void {
        for (const socket of this.sockets) {
            socket.destroy();
        }
    }

    close(): void {
        this.relay.close();
        this.cut();
    }

    /** Runs kubectl as an administrator, and returns what it prints. */
    async kubectl(args: readonly string[], input = ''): Promise<string> {
        const running = promisify(execFile)('bin/tools/kubectl', args, { env: { ...process.env, KUBECONFIG: this.kubeconfig }, timeout: 90_000 });
        running.child.stdin?.end(input);
        return (await running).stdout;
    }

    /** Makes a namespace with the sidecars of Istio. */
    async namespace(name: string): Promise<string> {
        const unique = `${name}-${Date.now().toString(36)}`;
        await this.kubectl(['create', 'namespace', unique]);
        await this.kubectl(['label', 'namespace', unique, 'istio-injection=enabled']);
        // A pod without its account is refused, and one without Istio's certificate waits for it in steps that double.
        await this.kubectl(['wait', 'serviceaccount/default', '-n', unique, '--for=create', `--timeout=${limit}`]);
        await this.kubectl(['wait', 'configmap/istio-ca-root-cert', '-n', unique, '--for=create', `--timeout=${limit}`]);
        return unique;
    }

    async remove(namespace: string): Promise<void> {
        await this.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    }

    /** Makes a namespace with the workloads of test/cluster/manifests/demo.yaml; their sidecars are held. */
    async demo(name: string): Promise<string> {
        const namespace = await this.namespace(name);
        await this.apply(namespace, readFileSync('test/cluster/manifests/demo.yaml', 'utf8').replaceAll(': demo\n', `: ${namespace}\n`));
        await this.ready(namespace, 'pod/fortio-server-0');
        return namespace;
    }

    async apply(namespace: string, manifest: string): Promise<void> {
        await this.kubectl(['apply', '--server-side', '-n', namespace, '-f', '-'], manifest);
    }

    /** Waits until what is named like "pod/NAME" exists and is ready. */
    async ready(namespace: string, name: string): Promise<void> {
        await this.kubectl(['wait', '-n', namespace, name, '--for=create', `--timeout=${limit}`]);
        await this.kubectl(['wait', '-n', namespace, name, '--for=condition=Ready', `--timeout=${limit}`]);
    }

    /** Waits until nothing runs in a sidecar but what parks it. */
    async parked(namespace: string, pod: string): Promise<void> {
        const deadline = Date.now() + 10_000;
        for (;;) {
            const all = await this.kubectl(['exec', '-n', namespace, pod, '-c', 'istio-proxy', '--', 'ps', '-e', '-o', 'stat=,args=']);
            // The process that parks the sidecar waits for no child: what has ended stays a zombie.
            const left = all.split('\n').filter((line) => !line.startsWith('Z') && /envoy|lldb|proxy sidecar/.test(line));
            if (left.length === 0) {
                return;
            }
            if (Date.now() > deadline) {
                throw new Error(`left in the pod:\n${left.join('\n')}`);
            }
            await delay(200);
        }
    }
}
