import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

const kubeconfig = process.env.PMAN_TEST_KUBERNETES ?? '';
/** What tests/engines/kubernetes.sh has started; a cluster of somebody else cannot be killed. */
const folder = process.env.PMAN_TEST_KUBERNETES_DIR ?? '';

export const kubernetesMissing = () =>
  kubeconfig ? undefined : 'PMAN_TEST_KUBERNETES is not set: tests/engines/kubernetes.sh up';

/** The same for what kills programs of the cluster. */
export const ownKubernetesMissing = () =>
  kubernetesMissing() ??
  (folder ? undefined : 'PMAN_TEST_KUBERNETES_DIR is not set: not a cluster of ours');

export type Program =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'containerd';

let nextNamespace = 0;
let nextUser = 0;

/** The cluster under test, with a namespace that nobody else has. */
export class KubernetesUnderTest {
  readonly namespace: string;
  readonly image = process.env.PMAN_TEST_KUBERNETES_IMAGE ?? 'busybox';
  readonly kubeconfig = kubeconfig;

  private constructor(namespace: string) {
    this.namespace = namespace;
  }

  static async open(): Promise<KubernetesUnderTest> {
    nextNamespace += 1;
    const cluster = new KubernetesUnderTest(
      `pman-${process.pid}-${Date.now().toString(36)}-${nextNamespace}`,
    );
    await cluster.#isUp();
    cluster.kubectl('create', 'namespace', cluster.namespace);
    return cluster;
  }

  /** The port of the API server. */
  get port(): string {
    return new URL(this.#server).port || '443';
  }

  /** A kubeconfig for the same cluster at another port of this host. */
  kubeconfigAt(port: string): string {
    const there = `https://127.0.0.1:${port}`;
    const file = join(tempDir(), 'kubeconfig');
    writeFileSync(file, readFileSync(kubeconfig, 'utf8').replace(this.#server, there));
    return file;
  }

  /**
   * Makes a user that may do this in the namespace, and nothing else; gives a kubeconfig of it.
   * @param user the name of a service account
   */
  kubeconfigOfUser(
    resources: readonly string[],
    verbs: readonly string[],
    user = `user-${++nextUser}`,
  ): string {
    this.kubectl('create', 'serviceaccount', user);
    const all = [`--verb=${verbs.join(',')}`, `--resource=${resources.join(',')}`];
    this.kubectl('create', 'role', user, ...all);
    const account = `--serviceaccount=${this.namespace}:${user}`;
    this.kubectl('create', 'rolebinding', user, `--role=${user}`, account);
    const token = this.kubectl('create', 'token', user).trim();
    const config = JSON.parse(this.kubectl('config', 'view', '--raw', '--minify', '-o', 'json'));
    config.users[0].user = { token };
    const file = join(tempDir(), 'kubeconfig');
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  /** Whether the API server takes the token of a kubeconfig. */
  knows(config: string): boolean {
    const program = process.env.PMAN_TEST_KUBECTL ?? 'kubectl';
    const where = ['--kubeconfig', config, '--namespace', this.namespace];
    try {
      execFileSync(program, [...where, 'get', 'jobs'], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  }

  /** Runs kubectl in the namespace; gives what it prints. */
  kubectl(...args: readonly string[]): string {
    const program = process.env.PMAN_TEST_KUBECTL ?? 'kubectl';
    const where = ['--kubeconfig', kubeconfig, '--namespace', this.namespace];
    return execFileSync(program, [...where, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }

  kill(program: Program): void {
    this.#script('kill', program);
  }

  async start(program: Program): Promise<void> {
    this.#script('start', program);
    await this.#isUp();
  }

  /** Kills a program of the cluster and starts it again. Of a cluster that is not ours nothing is killed. */
  async restart(program: Program): Promise<void> {
    if (folder === '') return;
    this.kill(program);
    await this.start(program);
  }

  /** Starts what does not run, and makes the node what it was before it was lost. */
  async bringUp(): Promise<void> {
    execFileSync('bash', [join(checkout, 'tests/engines/kubernetes.sh'), 'up', folder], {
      stdio: 'pipe',
    });
    await this.#isUp();
  }

  async close(): Promise<void> {
    await this.#isUp();
    this.kubectl('delete', 'namespace', this.namespace, '--wait=false');
  }

  get #server(): string {
    const [, server] = /server: *"?(https?:[^"\s}]+)/.exec(readFileSync(kubeconfig, 'utf8')) ?? [];
    if (server === undefined) throw new Error(`${kubeconfig} names no server`);
    return server;
  }

  #script(verb: string, program: Program): void {
    const script = join(checkout, 'tests/engines/kubernetes.sh');
    if (!existsSync(script)) throw new Error(`there is no ${script}`);
    execFileSync('bash', [script, verb, folder, program], { stdio: 'pipe' });
  }

  #isUp(): Promise<unknown> {
    return eventually(
      () => {
        try {
          return this.kubectl('get', '--raw', '/readyz') !== '';
        } catch {
          return false; // not yet
        }
      },
      { timeoutMs: 60_000, pollMs: 200, message: 'the API server to be ready' },
    );
  }
}
