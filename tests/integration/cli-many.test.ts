import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { verbProxy } from '../helpers/verbProxy.ts';

/** What is done to many jobs, while the server and the jobs go on. */
describe('a verb with many jobs', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const pman = (...argv: string[]) => pmanVerb(server, argv);
  const idOf = async (name: string, ...command: string[]) =>
    (await pman('run', '-q', '--name', name, '--', ...command)).stdout.trim();
  const behind = async (
    answers: Parameters<typeof verbProxy>[1],
    deed: (place: Pick<TestServer, 'port' | 'folders'>) => Promise<void>,
  ) => {
    const proxy = await verbProxy(server.port, answers);
    try {
      await deed({ port: proxy.port, folders: server.folders });
    } finally {
      proxy.close();
    }
  };

  it('ls shows the others when one is removed meanwhile', async () => {
    await pman('run', '-f', '--name', 'stays', 'echo 1234');
    await pman('run', '-f', '--name', 'goes', 'true');
    const gone = JSON.parse((await pman('show', '--json', 'goes')).stdout).id;
    const isOutput = (url = '') => url.includes(`${encodeURIComponent(gone)}/`);
    await behind(
      ({ url }, answer) => {
        if (!isOutput(url)) return false;
        answer.writeHead(404, { 'Content-Type': 'application/problem+json' });
        answer.end(JSON.stringify({ status: 404, code: 'not_found', detail: 'there is no job' }));
        return true;
      },
      async (place) => {
        const { code, stdout } = await pmanVerb(place, ['ls', '-a', '-o', 'name,out']);
        expect([code, stdout.split('\n').sort()]).toEqual([0, ['', 'goes\t', 'stays\t5']]);
      },
    );
  });

  describe('kill', () => {
    const DEAF = 'trap "" TERM; echo up; while :; do sleep 0.2; done';
    const names = Array.from({ length: 10 }, (_, i) => `deaf-${i}`);
    beforeAll(async () => {
      for (const name of names) await idOf(name, 'sh', '-c', DEAF);
      await eventually(async () => (await pman('logs', 'deaf-9')).stdout === 'up\n');
    });
    afterAll(() => pman('kill', '-y', '-s', 'KILL', 'deaf-*'));

    it('sends all their signal before it waits, once for all of them', async () => {
      const asked: string[] = [];
      await behind(
        ({ url = '' }) => {
          asked.push(url.replace(/.*\/(?=kill$|events\b)/, ''));
          return false;
        },
        async (place) => {
          const kill = ['kill', '-y', '--grace', '60s', 'deaf-*'];
          const { stdout, stderr } = await pmanVerb(place, kill);
          expect(stderr).toBe('');
          expect(stdout.match(/was sent TERM and still runs/g)).toHaveLength(names.length);
        },
      );
      const orders = asked.slice(asked.indexOf('kill'));
      expect(orders.slice(0, names.length)).toEqual(names.map(() => 'kill'));
      expect(orders.filter((what) => what.startsWith('events'))).toHaveLength(1);
    });

    it('waits for nothing after a signal that does not end a job', async () => {
      const paths: string[] = [];
      await behind(
        ({ url = '' }) => {
          paths.push(url);
          return false;
        },
        async (place) => {
          const { stdout } = await pmanVerb(place, ['kill', '-s', 'CONT', 'deaf-0']);
          expect(stdout).toMatch(/^\w{6}\tdeaf-0\twas sent CONT\n$/);
        },
      );
      expect(paths.at(-1)).toMatch(/\/kill$/);
    });

    it('whose server is away then was accepted all the same', async () => {
      for (const argv of [[], ['--json']]) {
        let isAway = false;
        await behind(
          ({ url = '', socket }) => {
            if (isAway) socket.destroy();
            const wasAway = isAway;
            isAway ||= url.endsWith('/kill');
            return wasAway;
          },
          async (place) => {
            const kill = ['kill', '--grace', '60s', 'deaf-1', ...argv];
            const { code, stdout, stderr } = await pmanVerb(place, kill);
            expect([code, stderr]).toEqual([0, '']);
            if (argv.length > 0) {
              expect(JSON.parse(stdout)).toMatchObject({
                jobs: [{ state: 'running', endedAt: null }],
              });
            } else {
              expect(stdout).toMatch(
                /\tdeaf-1\twas sent TERM; http:\S+ does not answer: whether it runs is not known\n$/,
              );
            }
          },
        );
      }
    });
  });
});
