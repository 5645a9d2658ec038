import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '../../helpers/eventually.ts';
import { request } from '../../helpers/http.ts';
import { act, replyOf } from '../../helpers/pman.ts';
import { makeFolders, type TestServer } from '../../helpers/startServer.ts';
import { FakeDocker } from '../../replay/fakeDocker.ts';
import type { Subject } from '../attack.ts';
import { withPfioh, withPman } from '../victims.ts';

const PACKS = 'tests/integration/packs.test.ts';
const CONFINEMENT = 'tests/integration/confinement.test.ts';
const PLACES = 'tests/integration/hostile-places.test.ts';
const PFIOH = 'tests/integration/pfiohHostile.test.ts';

const LONG = 'x'.repeat(300);
const ODD_NAMES = [LONG, `${LONG}/${LONG}`, `a/${LONG}/b`, 'a\0b', '\0'];

/** Sends names that no disk can have to everything of pman that takes one; gives the statuses. */
async function sendOddNames(server: TestServer): Promise<ReadonlySet<number>> {
  const answers = [];
  for (const name of ODD_NAMES) {
    const path = name.replaceAll('\0', '%00');
    for (const target of [path, `_0/${path}`, `${path}/stdout`]) {
      answers.push(await server.request('GET', `/api/v1/${target}`));
    }
    answers.push(await act(server, 'get', { path: `/${name}` }));
    answers.push(await act(server, 'delete', { key: name, value: 'x' }));
    for (const operation of ['save', 'load', 'clear']) {
      answers.push(await act(server, 'DBctl', { do: operation, dbpath: name }));
    }
  }
  for (const answer of answers) {
    expect(replyOf(answer).error?.code).toBe('bad_request');
    expect(answer.text).not.toContain(server.folders.root);
  }
  return new Set(answers.map(({ status }) => status));
}

/** Which folder of its host an engine is told to share for a shareDir. */
async function sharedFor(shareDir: string): Promise<string> {
  const folders = makeFolders();
  const socket = join(folders.root, 'engine.sock');
  const engine = await FakeDocker.start(socket);
  const env = { DOCKER_HOST: `unix://${socket}`, STOREBASE: '/srv/store' };
  try {
    return await withPman({ folders, env }, async (server) => {
      const container = {
        target: { image: 'i' },
        manager: { image: 'm', env: { shareDir, serviceName: 's' } },
      };
      const meta = { cmd: 'true', auid: 'a', jid: 'j', threaded: true, container };
      const { status } = await act(server, 'run', meta);
      if (status !== 200) return String(status);
      const asked = await eventually(
        () => engine.asked.find(({ Cmd }) => Cmd.includes('-m'))?.Cmd,
        { message: 'the engine to be asked' },
      );
      return asked[asked.indexOf('-m') + 1] ?? '';
    });
  } finally {
    await engine.close();
  }
}

export const places: Subject = {
  title: 'files and folders',
  attacks: [
    {
      tried: 'names with NUL or of 300 bytes in GET, `get`, `delete` and `DBctl`',
      observe: () =>
        withPman({}, async (server) => {
          await server.post('run', { cmd: 'true', auid: 'a', jid: 'j' });
          const statuses = await sendOddNames(server);
          return `${[...statuses].join(', ')}, no folder of the host in the answers`;
        }),
    },
    {
      tried: '`shareDir` of `/..`, of `<folder>/../..`, of `..`',
      observe: async () => {
        const top = makeFolders().root;
        const up = '/..'.repeat(top.split('/').length);
        const statuses = new Set<string>();
        for (const shareDir of ['/..', `${top}${up}`, '..', '/./']) {
          statuses.add(await sharedFor(shareDir));
        }
        return [...statuses].join(', ');
      },
    },
    {
      tried: '`shareDir` of `<share>/key-1/../key-2/.`, with STOREBASE=/srv/store',
      observe: async () => {
        const top = makeFolders().root;
        for (const name of ['key-1', 'key-2']) mkdirSync(join(top, name));
        return `the engine shares ${await sharedFor(`${top}/key-1/../key-2/.`)}`;
      },
    },
    {
      tried: 'DBctl and PUT with `dbpath` outside the export folder, through links too',
      happens: '403, nothing is written, read or removed',
      shownBy: [PLACES, 'is refused when it is %s'],
    },
    {
      tried: 'paths of GET with `..`, percent signs, `__proto__`, indexes of all kinds',
      happens: 'nothing is found',
      shownBy: [PLACES, 'of %j finds nothing'],
    },
    {
      tried: 'jids that are paths, commands, headers, 10 kB long',
      happens: 'they are texts',
      shownBy: [PLACES, 'with line ends'],
    },
    {
      tried: 'links in the store of pfioh that lead out of it',
      observe: () =>
        withPfioh([], async ({ port, store, outer }) => {
          writeFileSync(join(outer, 'secret'), 'canary');
          symlinkSync(outer, join(store, 'out'));
          const statuses = new Set<number>();
          for (const path of ['out/secret', 'out', 'out/../out/secret']) {
            const meta = { remote: { path }, transport: { compress: { archive: 'none' } } };
            const query = new URLSearchParams({ meta: JSON.stringify(meta) });
            const pulled = await request(port, 'GET', `/?${query}`);
            expect(pulled.text).not.toContain('canary');
            statuses.add(pulled.status);
            const body = { action: 'rmtree', meta: { path } };
            statuses.add((await request(port, 'POST', '/', { body })).status);
          }
          expect(readdirSync(outer).sort()).toEqual(['secret', 'store']);
          return `${[...statuses].join(', ')}, nothing is read or removed`;
        }),
    },
    {
      tried: 'archives that climb, lie, hold devices, links out, two of a name, or a bomb',
      happens: 'a 4xx, nothing is kept',
      shownBy: [CONFINEMENT, 'refuses an archive with %s and keeps nothing of it'],
    },
    {
      tried: 'packs that climb, hold links out, two of a name, or a bomb',
      happens: 'a 4xx, nothing is kept',
      shownBy: [PACKS, 'with %s is refused, and nothing of it is kept'],
    },
    {
      tried: 'links in place of the folders that pfioh makes for a plugin',
      happens: '403',
      shownBy: [PFIOH, 'follows no link that stands for a folder of a plugin'],
    },
    {
      tried: 'a link in place of what a resumed push keeps',
      happens: '403',
      shownBy: [PFIOH, 'keeps what arrives for a resumed push in no file that a link leads to'],
    },
    {
      tried: 'Python code as the `meta` of a pull',
      happens: '400, it is not run',
      shownBy: [CONFINEMENT, 'never runs the text of meta'],
    },
    {
      tried: 'a fileiosetup endpoint, to write outside its folder',
      happens: 'refused; it runs in a process of its own',
      shownBy: ['tests/integration/fileio.test.ts', 'keeps it to a folder of its own'],
    },
  ],
};
