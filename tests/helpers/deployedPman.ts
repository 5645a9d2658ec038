import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { eventually } from './eventually.ts';
import { imagesEngine, imagesMissing } from './images.ts';
import { type KubernetesUnderTest, kubernetesMissing } from './kubernetes.ts';
import { overlay } from './manifests.ts';
import { checkout } from './startServer.ts';
import { tempDir } from './tempDir.ts';

const folder = process.env.PMAN_TEST_KUBERNETES_DIR ?? '';
/** An image of pman that somebody else's cluster can fetch. */
const foreignImage = process.env.PMAN_TEST_KUBERNETES_PMAN_IMAGE;

const PORTS = { pman: 5010, pfioh: 5055 } as const;
type Program = keyof typeof PORTS;

/** Why pman's image cannot be run in a cluster here, or undefined. */
export function deploymentMissing(): string | undefined {
  const missing = kubernetesMissing();
  if (missing !== undefined || foreignImage !== undefined) return missing;
  return folder === '' ? 'PMAN_TEST_KUBERNETES_PMAN_IMAGE names no image of pman' : imagesMissing();
}

/** Gives a cluster of ours the image that tests/engines/images.sh has built. */
export function bringImage(): void {
  if (foreignImage !== undefined) return;
  const script = join(checkout, 'tests/engines/kubernetes.sh');
  const line =
    'set -o pipefail; docker save fnndsc/pman | bash "$0" image "$1" fnndsc/pman /dev/stdin';
  const env = { ...process.env, DOCKER_HOST: imagesEngine };
  execFileSync('bash', ['-c', line, script, folder], { env, stdio: 'pipe' });
}

/** pman and pfioh in the namespace of a cluster. What is asked of them is asked in the cluster: nothing else may reach it. */
export class DeployedPman {
  readonly cluster: KubernetesUnderTest;

  private constructor(cluster: KubernetesUnderTest) {
    this.cluster = cluster;
  }

  /**
   * Applies an overlay and waits until both programs are ready.
   * @param patches operations (RFC 6902) on the pods of both
   */
  static start(
    cluster: KubernetesUnderTest,
    name: string,
    patches: readonly object[] = [],
  ): DeployedPman {
    const [newName, newTag = 'latest'] = (foreignImage ?? 'fnndsc/pman').split(/:(?=[^/]*$)/);
    const here = tempDir();
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(here, overlay(name))],
      images: [{ name: 'fnndsc/pman', newName, newTag }],
      ...(patches.length > 0 && {
        patches: [{ target: { kind: 'Deployment' }, patch: JSON.stringify(patches) }],
      }),
    };
    writeFileSync(join(here, 'kustomization.yml'), JSON.stringify(kustomization));
    cluster.kubectl('apply', '-k', here);
    const deployed = new DeployedPman(cluster);
    deployed.ready('pman');
    deployed.ready('pfioh');
    return deployed;
  }

  /** Waits until a program is ready, by its probes. */
  ready(program: Program): void {
    try {
      this.cluster.kubectl('rollout', 'status', `deployment/${program}`, '--timeout=120s');
    } catch (error) {
      const pods = this.cluster.kubectl('describe', 'pods');
      throw new Error(`${program} does not get ready:\n${pods}`, { cause: error });
    }
  }

  /** The address that the service of a program leads to. */
  address(program: Program): string {
    const path = 'jsonpath={.items[*].endpoints[?(@.conditions.ready)].addresses[0]}';
    const service = `kubernetes.io/service-name=${program}`;
    const ip = this.cluster.kubectl('get', 'endpointslices', '-l', service, '-o', path).trim();
    return `${ip}:${PORTS[program]}`;
  }

  /** Runs a command in the pod of a program; gives what it prints. */
  exec(program: Program, ...command: readonly string[]): string {
    return this.cluster.kubectl('exec', `deployment/${program}`, '--', ...command);
  }

  /** Sends a program a message, from the pod of the other one. */
  ask(program: Program, message: object, token = '@/run/secrets/pman/tokens'): unknown {
    const other = program === 'pman' ? 'pfioh' : 'pman';
    const wrapper = program === 'pman' ? ['--jsonwrapper', 'payload'] : [];
    const to = ['--http', `${this.address(program)}/api/v1/cmd`, '--authToken', token];
    const how = ['--verb', 'POST', '--quiet', '--raw', ...wrapper];
    const words = ['purl', ...to, ...how, '--msg', JSON.stringify(message)];
    return JSON.parse(this.exec(other, ...words));
  }

  /** Sends pman an action and gives its reply. */
  post(action: string, meta: object): Readonly<Record<string, unknown>> {
    return this.ask('pman', { action, meta }) as Readonly<Record<string, unknown>>;
  }

  /** How a job stands. The answers of `status` differ by overlay, those of `result` do not. */
  result(jid: string): JobResult {
    const { d_ret } = this.post('result', { key: 'jid', value: jid });
    const { status, returncode, stdout } = (d_ret as Readonly<Record<string, ResultAnswer>>)[
      '0'
    ] ?? {
      ...{ status: '', returncode: [], stdout: [] },
    };
    return { status, exitCode: returncode[0] ?? null, output: stdout[0] ?? '' };
  }

  /** Waits for the end of a job. */
  ended(jid: string): Promise<JobResult> {
    const end = () => {
      const result = this.result(jid);
      return result.exitCode !== null && result;
    };
    return eventually(end, { timeoutMs: 120_000, pollMs: 200, message: `job ${jid} to end` });
  }
}

interface ResultAnswer {
  readonly status: string;
  readonly returncode: ReadonlyArray<number | null>;
  readonly stdout: readonly string[];
}

interface JobResult {
  readonly status: string;
  readonly exitCode: number | null;
  readonly output: string;
}
