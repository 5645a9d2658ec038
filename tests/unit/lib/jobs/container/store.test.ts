import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ContainerJobState } from '../../../../../lib/jobs/container/job.ts';
import { ContainerJobStore, type StoredJob } from '../../../../../lib/jobs/container/store.ts';
import { silentLogger } from '../../../../../lib/log.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import type { JsonObject } from '../../../../../lib/wire/json.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const storeIn = (folder: string) => new ContainerJobStore(folder, false, silentLogger());

const json = fc.dictionary(
  fc.string(),
  fc.oneof(fc.string(), fc.integer(), fc.boolean()),
) as fc.Arbitrary<JsonObject>;
const work = fc.record({ handle: json, since: fc.double({ min: 0, max: 2e12, noNaN: true }) });
const states: fc.Arbitrary<ContainerJobState> = fc.oneof(
  fc.constant({ kind: 'accepted' } as const),
  fc.record({ kind: fc.constant('awaitingFolder' as const), folder: fc.string() }),
  fc.constant({ kind: 'starting' } as const),
  work.map((started) => ({ kind: 'running', ...started }) as const),
  work.map((started) => ({ kind: 'ending', cause: 'c', work: started }) as const),
);
const stored: fc.Arbitrary<StoredJob> = fc.record(
  {
    job: fc.record({
      ...{ meta: json, container: json, cmdMgr: fc.string() },
      ...{ cmd: fc.string(), auid: fc.string(), jid: fc.string() },
    }),
    request: fc.record({
      ...{ name: fc.string(), image: fc.string(), cmd: fc.string() },
      owner: fc.record({
        ...{ job: fc.string(), instance: fc.string(), jid: fc.string(), auid: fc.string() },
      }),
      options: fc.record(
        {
          env: fc.dictionary(fc.string(), fc.string()),
          workers: fc.integer({ min: 1 }),
          tty: fc.boolean(),
        },
        { requiredKeys: [] },
      ),
    }),
    state: states,
    limits: fc.record(
      { timeoutMs: fc.integer({ min: 1 }), maxOutputBytes: fc.integer({ min: 1 }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['job', 'request', 'state', 'limits'] },
);

describe('ContainerJobStore', () => {
  it('gives back every job as it was, whatever its texts hold', () => {
    const store = storeIn(join(tempDir(), 'containers'));
    const root = newJobRoot(Date.now());
    fc.assert(
      fc.property(stored, (job) => {
        store.write(root, job);
        expect(JSON.parse(JSON.stringify(store.read().get(root)))).toEqual(
          JSON.parse(JSON.stringify(job)),
        );
      }),
    );
  });

  it('gives back the last state that a job came to, also when pman ended in the middle of a later one', () => {
    const folder = tempDir();
    const root = newJobRoot(Date.now());
    const file = join(folder, `${root}.json`);
    fc.assert(
      fc.property(stored, fc.array(states), fc.nat(), (job, later, cut) => {
        const store = storeIn(folder);
        store.write(root, job);
        for (const state of later) store.writeState(root, { ...job, state });
        const last = { ...job, state: later.at(-1) ?? job.state };
        const same = (found: StoredJob | undefined, wanted: StoredJob) =>
          expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(wanted)));
        same(storeIn(folder).read().get(root), last);
        const before = readFileSync(file);
        store.writeState(root, { ...job, state: { kind: 'starting' } });
        const line = readFileSync(file).subarray(before.length);
        writeFileSync(file, Buffer.concat([before, line.subarray(0, cut % (line.length - 1))]));
        const next = storeIn(folder);
        same(next.read().get(root), last);
        // The one after it writes behind no half of a line.
        next.writeState(root, { ...job, state: { kind: 'accepted' } });
        same(storeIn(folder).read().get(root), { ...job, state: { kind: 'accepted' } });
      }),
    );
  });

  it('writes a job anew whose file is gone or whose disk has refused a state', () => {
    const folder = tempDir();
    const store = storeIn(folder);
    const root = newJobRoot(Date.now());
    const file = join(folder, `${root}.json`);
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    const starting = { ...job, state: { kind: 'starting' } } as const;
    store.write(root, job);
    rmSync(file);
    store.writeState(root, starting);
    expect(storeIn(folder).read().get(root)?.state).toEqual({ kind: 'starting' });
    rmSync(file);
    mkdirSync(file);
    expect(() => store.writeState(root, starting)).toThrow();
    rmSync(file, { recursive: true });
    writeFileSync(file, '{"half":');
    store.writeState(root, starting);
    expect(storeIn(folder).read().get(root)?.state).toEqual({ kind: 'starting' });
  });

  it('keeps what a job is to read as long as the job, and not that of one that was not accepted', () => {
    const folder = tempDir();
    const store = storeIn(folder);
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    const [kept, lost] = [newJobRoot(Date.now()), newJobRoot(Date.now())];
    const input = Buffer.from([0, 1, 255]);
    store.writeInput(kept, input);
    store.write(kept, job);
    store.writeInput(lost, input);
    expect([...storeIn(folder).read().keys()]).toEqual([kept]);
    expect(store.readInput(kept)).toEqual(input);
    expect(() => store.readInput(lost)).toThrow('the input of the job cannot be read');
    store.remove(kept);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps a variable of any name', () => {
    const store = storeIn(tempDir());
    const root = newJobRoot(Date.now());
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    const env = Object.fromEntries([['__proto__', 'kept']]);
    store.write(root, { ...job, request: { ...job.request, options: { env } } });
    expect(Object.entries(store.read().get(root)?.request.options.env ?? {})).toEqual([
      ['__proto__', 'kept'],
    ]);
  });

  it('keeps an order to end that came before there was anything to end', () => {
    const store = storeIn(tempDir());
    const root = newJobRoot(Date.now());
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    store.write(root, { ...job, state: { kind: 'ending', cause: 'because', work: undefined } });
    expect(store.read().get(root)?.state).toMatchObject({ kind: 'ending', cause: 'because' });
  });

  it('lists the oldest first, and none that was removed', () => {
    const store = storeIn(tempDir());
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    const roots = [1, 2, 3].map(() => newJobRoot(Date.now()));
    for (const root of [...roots].reverse()) store.write(root, job);
    store.remove(roots[1] ?? '');
    expect([...store.read().keys()]).toEqual([roots[0], roots[2]]);
  });

  it.each(['', '{"job":', '{"stage":"accepted"}', '{}'])(
    'moves a file aside that is no job (%j), and leaves the others',
    (text) => {
      const folder = tempDir();
      const store = storeIn(folder);
      const root = newJobRoot(Date.now());
      writeFileSync(join(folder, `${root}.json`), text);
      mkdirSync(join(folder, 'x.json'));
      expect(store.read().size).toBe(0);
      expect(existsSync(join(folder, `${root}.unreadable`))).toBe(true);
    },
  );

  it('leaves no draft behind when the disk does not take a job', () => {
    const folder = tempDir();
    const store = storeIn(folder);
    const root = newJobRoot(Date.now());
    mkdirSync(join(folder, `${root}.json`));
    const [job] = fc.sample(stored, 1);
    if (job === undefined) throw new Error('no sample');
    expect(() => store.write(root, job)).toThrow();
    expect(readdirSync(folder)).toEqual([`${root}.json`]);
  });

  describe('reads what version 3.0.0 has written', () => {
    const older = (members: JsonObject) => {
      const folder = tempDir();
      const root = newJobRoot(Date.now());
      const labels = {
        'org.fnndsc.pman.job': root,
        'org.fnndsc.pman.jid': 'j',
        'org.fnndsc.pman.auid': 'a',
        'org.fnndsc.pman.instance': 'p',
      };
      const text = JSON.stringify({
        job: { meta: {}, container: {}, cmdMgr: 'm', cmd: 'c', auid: 'a', jid: 'j' },
        request: {
          service: 's',
          image: 'i',
          cmd: 'c',
          shareDir: '/d',
          labels,
          options: { workers: 2 },
        },
        ...members,
      });
      writeFileSync(join(folder, `${root}.json`), text);
      return { root, job: storeIn(folder).read().get(root) };
    };

    it('with whose it is, and what is asked', () => {
      const { root, job } = older({ stage: 'accepted' });
      expect(job).toMatchObject({
        request: {
          ...{ name: 's', image: 'i', cmd: 'c', shareDir: '/d', options: { workers: 2 } },
          owner: { job: root, instance: 'p', jid: 'j', auid: 'a' },
        },
      });
    });

    const manager = { image: 'm', app: 'swarm.py' };
    it.each<[JsonObject, unknown]>([
      [{ stage: 'accepted' }, { kind: 'accepted' }],
      [
        { stage: 'accepted', awaitedFolder: '/f' },
        { kind: 'awaitingFolder', folder: '/f' },
      ],
      [{ stage: 'scheduling' }, { kind: 'starting' }],
      [
        { stage: 'scheduling', killed: 'x' },
        { kind: 'ending', cause: 'x' },
      ],
      [
        { stage: 'scheduled', scheduledAt: 7.5 },
        { kind: 'running', handle: {}, since: 7.5 },
      ],
      [
        { stage: 'scheduled', scheduledAt: 7, manager },
        { kind: 'running', handle: { manager, workers: 2 }, since: 7 },
      ],
      [
        { stage: 'scheduled', scheduledAt: 7, killed: 'x' },
        { kind: 'ending', cause: 'x', work: { handle: {}, since: 7 } },
      ],
    ])('in the stage %j', (members, state) => {
      expect(JSON.parse(JSON.stringify(older(members).job?.state))).toEqual(state);
    });
  });
});
