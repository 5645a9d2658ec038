import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { clusterTurn } from '../helpers/clusterTurn.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { KubernetesUnderTest, ownKubernetesMissing, type Program } from '../helpers/kubernetes.ts';
import { clusterEnd, clusterMeta, startPman } from '../helpers/kubernetesJobs.ts';
import { act } from '../helpers/pman.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { Random } from './random.ts';

await clusterTurn();

/** How often something is killed, in all. */
const rounds = Number(process.env.PMAN_TEST_KUBERNETES_ROUNDS ?? 6);
const seed = Number(process.env.PMAN_CRASH_SEED ?? Date.now() % 1_000_000);
const JOBS_A_ROUND = 3;

type Victim = 'pman' | Program;

/** What is killed in a round: pman, a program of the cluster, or both. */
const disasters: ReadonlyArray<readonly [weight: number, victims: readonly Victim[]]> = [
  [5, ['pman']],
  [4, ['kube-apiserver']],
  [3, ['kubelet']],
  [3, ['containerd']],
  [1, ['kube-controller-manager']],
  [2, ['pman', 'kube-apiserver']],
  [1, ['pman', 'kubelet']],
  // In this order: a kubelet does not start without containerd.
  [1, ['containerd', 'kubelet']],
];

interface Expected {
  readonly jid: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly mark: string;
}

describeWithEngine('a cluster and a pman that are killed', ownKubernetesMissing, () => {
  it(
    `run each job once and tell how it ended (${rounds} rounds, seed ${seed})`,
    async () => {
      const random = new Random(seed);
      const cluster = await KubernetesUnderTest.open();
      const server = await startPman(cluster);
      const marks = tempDir();
      chmodSync(marks, 0o777);
      const faults: string[] = [];
      /** Asks for a job until it is accepted: the key sees to it that it runs once. */
      const submit = async (jid: string): Promise<Expected> => {
        const exitCode = random.between(0, 3);
        const naps = random.between(0, 20) / 10;
        const cmd = `sh -c "echo run >>/share/${jid}; echo begun; sleep ${naps}; echo done; exit ${exitCode}"`;
        const meta = { key: jid, cpu_limit: '100m' };
        const wanted = clusterMeta(cluster, { jid, cmd, shareDir: marks, meta });
        for (;;) {
          const status = await act(server, 'run', wanted).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 200) break;
          if (status !== 0 && status !== 503) throw new Error(`a run was answered with ${status}`);
          await sleep(200);
        }
        return { jid, exitCode, stdout: 'begun\ndone\n', mark: join(marks, jid) };
      };
      /** What is written while containerd is away is lost: nobody else reads it. What a node was starting may not run. */
      const check = async (
        { jid, exitCode, stdout, mark }: Expected,
        victims: readonly Victim[],
      ) => {
        const end = await clusterEnd(server, jid, 180_000);
        const runs = existsSync(mark) ? readFileSync(mark, 'utf8').trim().split('\n').length : 0;
        const seen = { runs, returncode: end.returncode, stdout: end.stdout };
        const wanted = { runs: 1, returncode: [exitCode], stdout: [stdout] };
        if (JSON.stringify(seen) === JSON.stringify(wanted)) return;
        const hasRun = runs === 1 && end.returncode[0] === exitCode;
        const hasNot = runs === 0 && end.returncode[0] === null;
        if (victims.includes('containerd')) {
          if (hasRun && stdout.startsWith(end.stdout[0] ?? '')) return;
          if (hasNot && end.cause[0]) return;
        }
        const isInterrupted = end.cause[0]?.startsWith('its start was interrupted') === true;
        if (victims.includes('kubelet') && hasNot && isInterrupted) return;
        faults.push(`${jid}: ${JSON.stringify({ ...seen, wanted, cause: end.cause })}`);
      };
      for (let round = 0; round < rounds && faults.length < 5; round += 1) {
        const victims = random.weighted(disasters);
        const names = Array.from({ length: JOBS_A_ROUND }, (_, i) => `crash-${round}-${i}`);
        const accepted = Promise.all(names.map(submit));
        await sleep(random.between(0, 4000));
        for (const victim of victims) {
          if (victim === 'pman') await server.kill9();
          else cluster.kill(victim);
        }
        await sleep(random.between(0, 1000));
        for (const victim of victims) if (victim !== 'pman') await cluster.start(victim);
        if (victims.includes('pman')) await server.restart();
        const before = faults.length;
        await Promise.all((await accepted).map((job) => check(job, victims)));
        if (faults.length > before) faults.push(`round ${round} killed ${victims.join(' and ')}`);
      }
      if (faults.length > 0) faults.push(server.output.stderr.slice(-2000));
      await server.stop();
      server.endJobs();
      await cluster.close();
      expect(faults).toEqual([]);
    },
    120_000 + rounds * 60_000,
  );
});
