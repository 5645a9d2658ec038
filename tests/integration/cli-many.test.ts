import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
});
