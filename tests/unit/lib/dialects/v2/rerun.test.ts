import { describe, expect, it } from '@jest/globals';
import { runMeta } from '../../../../../lib/dialects/v2/newJob.ts';
import { changesSchema, type NewJob } from '../../../../../lib/dialects/v2/newJobSchema.ts';
import { partsOfChanges, rerunMeta } from '../../../../../lib/dialects/v2/rerun.ts';
import type { JsonObject } from '../../../../../lib/wire/json.ts';

const ROOT = '20260101T000000.000000-0000';

/** The `meta` of a job that is sent again with changes. */
function again(job: NewJob, body: object, runsImagesHere = false) {
  const asked = runMeta(job, 'first', { runsImagesHere });
  const view = { asked: () => asked, command: job.command, isContainer: job.image !== undefined };
  const { set, gone } = partsOfChanges(changesSchema.parse(body));
  const key = 'second';
  const own = { root: ROOT, key, auid: 'ana', isNew: false, runsImagesHere };
  return rerunMeta(view, set, { ...own, gone }).meta;
}

/** The `meta` of a job that is sent as it is. */
function sent(job: NewJob): JsonObject {
  return { ...runMeta(job, 'second', { auid: 'ana', runsImagesHere: false }), rerunOf: ROOT };
}

const BARE: NewJob = { command: 'true', jid: 'mine', auid: 'bob' };
const OF_HOST: Partial<NewJob> = {
  ...{ ssh: 'a@b', shell: true, cwd: '/tmp', env: { A: '1' }, timeout: 3, memory: '1Gi', nice: 1 },
  ...{ cpus: 0.5, labels: { a: '1' }, stdin: 'in', maxOutput: '1Mi', files: ['*.txt'] },
  notify: [{ url: 'http://127.0.0.1/' }],
};
const OF_CONTAINER: Partial<NewJob> = {
  ...{ env: { A: '1' }, timeout: 3, memory: '1Gi', cpus: 2, gpus: 1, workers: 2, user: 'me' },
  ...{
    labels: { a: '1' },
    shareDir: '/srv',
    mounts: [{ source: '/a', target: '/b', readOnly: true }],
  },
};

describe('rerunMeta', () => {
  it.each(Object.keys(OF_HOST))('has no %s where the changes say null', (name) => {
    const { [name as keyof NewJob]: _, ...others } = OF_HOST;
    expect(again({ ...BARE, ...OF_HOST }, { [name]: null })).toEqual(sent({ ...BARE, ...others }));
    expect(again(BARE, { [name]: null })).toEqual(sent(BARE));
  });

  it.each(Object.keys(OF_CONTAINER))('has no %s of a container where they say null', (name) => {
    const { [name as keyof NewJob]: _, ...others } = OF_CONTAINER;
    const bare = { ...BARE, image: 'busybox' };
    const meta = again({ ...bare, ...OF_CONTAINER }, { [name]: null });
    const wanted = sent({ ...bare, ...others });
    const managers = [meta, wanted].map(({ container }) => JSON.parse(JSON.stringify(container)));
    expect(managers[0].target).toEqual(managers[1].target);
    expect(managers[0].manager?.env?.shareDir).toBe(managers[1].manager?.env?.shareDir);
    expect({ ...meta, container: 0 }).toEqual({ ...wanted, container: 0 });
  });

  it('has no image, nor what is of containers alone, and keeps the rest', () => {
    const { labels, env, timeout, memory, cpus } = { ...OF_CONTAINER };
    const kept = Object.fromEntries(Object.entries({ labels, env, timeout, memory, cpus }));
    const meta = again({ ...BARE, ...OF_CONTAINER, image: 'busybox' }, { image: null });
    expect(meta).toEqual(sent({ ...BARE, ...kept }));
  });

  it.each([false, true])(
    'has the environment and the labels of the command in its new image (run here: %s)',
    (isHere) => {
      const { ssh: _ssh, shell: _shell, nice: _nice, ...former } = OF_HOST;
      const { key: _key, ...wanted } = runMeta({ ...BARE, ...former, image: 'busybox' }, 'second', {
        ...{ auid: 'ana', runsImagesHere: isHere },
      });
      const {
        container,
        key: _,
        ...meta
      } = again({ ...BARE, ...former }, { image: 'busybox' }, isHere);
      expect(container).toMatchObject({
        target: { image: 'busybox', env: { A: '1' }, labels: { a: '1' } },
      });
      expect(meta).toEqual({ ...wanted, container: undefined, rerunOf: ROOT });
    },
  );

  it('has the environment of the changes where they name one with the image', () => {
    const meta = again({ ...BARE, env: { A: '1' } }, { image: 'busybox', env: { B: '2' } });
    expect(meta).toMatchObject({ container: { target: { env: { B: '2' } } } });
    expect(meta.env).toBeUndefined();
  });

  it('names a job without a name, or without a person, as if it were new', () => {
    expect(again(BARE, { jid: null, auid: null })).toMatchObject({ jid: '', auid: 'ana' });
    const meta = again({ ...BARE, image: 'busybox' }, { jid: null });
    expect(meta.jid).toMatch(/^job-[0-9a-f]{16}$/);
  });

  it('is what was asked for where nothing changes', () => {
    expect(again({ ...BARE, ...OF_HOST }, {})).toEqual(sent({ ...BARE, ...OF_HOST }));
  });
});

describe('changesSchema', () => {
  it('says that there is no job without a command', () => {
    const { error } = changesSchema.safeParse({ command: null });
    expect(error?.issues[0]?.path).toEqual(['command']);
  });
});
