import { describe, expect, it } from '@jest/globals';
import type { ContainerCreateOptions } from 'dockerode';
import { PmanError } from '../../../../lib/errors.ts';
import type { EngineClient } from '../../../../swarm/client/engineClient.ts';
import { PlainEngine } from '../../../../swarm/plain/plainEngine.ts';
import { request } from '../request.ts';

interface Fake {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Record<string, string>;
  started: number;
}

/** As much of a Docker Engine as a start asks for. `foreign`: names that somebody else has. */
function engine({ foreign = [] as readonly string[], hidden = [] as Fake[] } = {}) {
  const containers: Fake[] = [];
  const removed: string[] = [];
  const inspected = ({ Id, Name, Labels, started }: Fake) => ({
    ...{ Id, Name, Created: '2026-01-01T00:00:00Z' },
    Config: { Labels, Image: 'img', Entrypoint: [], Tty: true },
    State: {
      ...{ Status: started > 0 ? 'running' : 'created', Running: started > 0, Error: '' },
      ...{ ExitCode: 0, Pid: 1, FinishedAt: '0001-01-01T00:00:00Z' },
      StartedAt: started > 0 ? '2026-01-01T00:00:00Z' : '0001-01-01T00:00:00Z',
    },
    HostConfig: {},
  });
  const handle = (id: string) => ({
    id,
    inspect: async () => {
      const found = containers.find(({ Id }) => Id === id);
      if (found === undefined) throw new PmanError('not_found', 'no such container');
      return inspected(found);
    },
    start: async () => {
      const found = containers.find(({ Id }) => Id === id);
      if (found !== undefined) found.started += 1;
    },
    remove: async () => {
      const at = containers.findIndex(({ Id }) => Id === id);
      removed.push(...containers.splice(at, 1).map(({ Name }) => Name));
    },
  });
  const lists = { count: 0 };
  const docker = {
    listContainers: async () => {
      lists.count += 1;
      return containers;
    },
    getContainer: handle,
    createContainer: async ({ name = '', Labels = {} }: ContainerCreateOptions) => {
      // Calls of before that were cut off come through late.
      containers.push(...hidden.splice(0));
      const Name = `/${name}`;
      if (foreign.includes(name) || containers.some((known) => known.Name === Name)) {
        throw new PmanError('conflict', `the name ${name} is taken`);
      }
      containers.push({
        Id: `id-${name}`,
        Name,
        Labels: Labels as Record<string, string>,
        started: 0,
      });
      return handle(`id-${name}`);
    },
  };
  const ask = async (_: string, call: () => Promise<unknown>) => call();
  const askIfThere = async (doing: string, call: () => Promise<unknown>) => {
    try {
      return await ask(doing, call);
    } catch (error) {
      if (error instanceof PmanError && error.code === 'not_found') return undefined;
      throw error;
    }
  };
  const client = { docker, ask, askIfThere } as unknown as EngineClient;
  return { plain: new PlainEngine(client), containers, removed, lists };
}

const twoWorkers = request({ options: { workers: 2 } });
const first = { mayExist: false, cancelled: new AbortController().signal };
const again = { mayExist: true, cancelled: new AbortController().signal };
const labels = {
  'org.fnndsc.pman.job': 'job-1',
  'org.fnndsc.pman.service': 'work',
  'org.fnndsc.pman.workers': '2',
};

describe('a plain engine, at a start', () => {
  it('makes and starts a container for each worker', async () => {
    const { plain, containers } = engine();
    expect(await plain.start(twoWorkers, first)).toBeDefined();
    expect(containers.map(({ Name, started }) => [Name, started])).toEqual([
      ['/work', 1],
      ['/work.2', 1],
    ]);
  });

  it('completes what a call that was cut off has made: what runs goes on, and is not started twice', async () => {
    const { plain, containers, removed } = engine();
    containers.push({ Id: 'a', Name: '/work', Labels: labels, started: 1 });
    expect(await plain.start(twoWorkers, again)).toBeDefined();
    expect(containers.map(({ Name, started }) => [Name, started])).toEqual([
      ['/work', 1],
      ['/work.2', 1],
    ]);
    expect(removed).toEqual([]);
  });

  it('takes over what such a call makes late, and ends nothing that runs', async () => {
    const late = { Id: 'b', Name: '/work.2', Labels: labels, started: 1 };
    const { plain, containers, removed } = engine({ hidden: [late] });
    containers.push({ Id: 'a', Name: '/work', Labels: labels, started: 1 });
    expect(await plain.start(twoWorkers, again)).toBeDefined();
    expect([containers.map(({ started }) => started), removed]).toEqual([[1, 1], []]);
  });

  it('begins nothing after its server has been closed, so that the next server runs it once', async () => {
    const { plain, containers, removed } = engine();
    const left = plain.start(twoWorkers, { ...first, isLeft: () => true });
    await expect(left).rejects.toMatchObject({ code: 'unavailable' });
    expect(containers.map(({ started }) => started)).toEqual([0, 0]);
    expect(await plain.start(twoWorkers, again)).toBeDefined();
    expect([containers.map(({ started }) => started), removed]).toEqual([[1, 1], []]);
  });

  it("leaves nothing behind when a name is somebody else's", async () => {
    const { plain, containers, removed } = engine({ foreign: ['work.2'] });
    await expect(plain.start(twoWorkers, first)).rejects.toMatchObject({ code: 'conflict' });
    expect([containers, removed]).toEqual([[], ['/work']]);
  });
});

describe('a plain engine, at a look', () => {
  const other = { ...labels, 'org.fnndsc.pman.service': 'other' };
  const runs = (Id: string, Labels: Fake['Labels']) => ({ Id, Name: `/${Id}`, Labels, started: 1 });

  it('asks for each container alone when it has told that they have changed: a list is of all', async () => {
    const { plain, containers, lists } = engine();
    containers.push(runs('a', labels), runs('b', other));
    const works = [
      { name: 'work', handle: { containers: ['a'] } },
      { name: 'other', handle: { containers: ['b', 'gone'] } },
      { name: 'third', handle: { containers: ['gone-too'] } },
    ];
    const looks = await plain.look(works, { haveChanged: true });
    expect([...looks].map(([name, { kind }]) => [name, kind])).toEqual([
      ['work', 'running'],
      ['other', 'running'],
    ]);
    expect(lists.count).toBe(0);
  });

  it('lists them when it does not know which ones they are, or when nobody has told of a change', async () => {
    const { plain, containers, lists } = engine();
    containers.push(runs('a', labels));
    const unknown = [{ name: 'work', handle: undefined }];
    expect((await plain.look(unknown, { haveChanged: true })).get('work')?.kind).toBe('running');
    const known = [{ name: 'work', handle: { containers: ['a'] } }];
    expect((await plain.look(known)).get('work')?.kind).toBe('running');
    expect(lists.count).toBe(2);
  });
});
