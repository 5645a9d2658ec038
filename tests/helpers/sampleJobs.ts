import type { Job } from '../../lib/client/index.ts';

/** When the samples are looked at. */
export const NOW = Date.parse('2026-11-28T14:05:15.000Z');

const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

/** A job of /api/v2, as far as a test does not say otherwise. */
export function sampleJob(members: Partial<Job> & Pick<Job, 'id'>): Job {
  const self = `/api/v2/jobs/${members.id}`;
  return {
    ...{
      jid: null,
      auid: 'ana',
      command: 'true',
      shell: false,
      backend: 'host',
      image: null,
      state: 'succeeded',
    },
    ...{ reason: null, exitCode: 0, labels: {}, cwd: '/home/ana/proj', rerunOf: null },
    ...{ acceptedAt: ago(100), startedAt: ago(100), endedAt: ago(99) },
    ns: { accepted: '0', started: null, ended: null },
    ...{ traceparent: null, tracestate: null, place: null, limits: null, usage: null, parts: [] },
    asked: {
      ...{ timeout: null, memory: null, maxOutput: null, nice: null },
      ...{ cpus: null, gpus: null, workers: null },
    },
    links: {
      ...{ self, stdout: `${self}/stdout`, stderr: `${self}/stderr`, output: `${self}/output` },
      ...{ files: `${self}/files`, events: `/api/v2/events?id=${members.id}` },
    },
    ...members,
  };
}

const rootOf = (beginning: string) =>
  `20261128140211.123456_${beginning}7b-52c1-8a3e-9b06-448fd58bd3c1`;

/** A running, a waiting, a failed, a killed and a lost one, and one with a name and a command that are hard to draw. */
export function sampleJobs(): readonly Job[] {
  const train = 'python3 train.py --data /srv/data --lr 0.001 --epochs 200 --seed 17';
  const active = { startedAt: ago(184), endedAt: null, exitCode: null, acceptedAt: ago(184) };
  return [
    sampleJob({
      id: rootOf('7f3a9c'),
      jid: 'train-lr0.001',
      command: train,
      state: 'running',
      ...active,
    }),
    sampleJob({
      ...{ id: rootOf('c01b22'), jid: 'train-lr0.01', command: train, state: 'waiting', place: 1 },
      ...{ ...active, startedAt: null },
    }),
    sampleJob({
      ...{ id: rootOf('9d4e10'), jid: 'nightly', command: 'make -j8 check; ./report --mail ana' },
      ...{ state: 'failed', exitCode: 2, acceptedAt: ago(3800), startedAt: ago(3800) },
      ...{ endedAt: ago(3788), reason: { code: 'exit_code', message: 'a part ended so' } },
    }),
    sampleJob({
      ...{ id: rootOf('e8810f'), jid: 'train-with-warmup-lr0.1', command: train, state: 'killed' },
      ...{ exitCode: -15, acceptedAt: ago(11000), startedAt: ago(11000), endedAt: ago(10959) },
    }),
    sampleJob({
      ...{
        id: rootOf('0a0b0c'),
        command: '/usr/bin/env\tprintf "日本語 %s\\n"\necho \u001b[31mred',
        state: 'lost',
      },
      ...{
        exitCode: null,
        acceptedAt: ago(400_000),
        startedAt: ago(400_000),
        endedAt: ago(300_000),
      },
    }),
    sampleJob({ id: rootOf('5d5e5f'), jid: '夜間のバッチ処理です', command: 'sleep 1' }),
  ];
}
