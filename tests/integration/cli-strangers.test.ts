import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** What is on the other port, by the first folder of the path. */
const ANSWERS: Readonly<Record<string, readonly [status: number, type: string, body: string]>> = {
  page: [200, 'text/html', '<html>hello</html>'],
  empty: [200, 'text/plain', ''],
  json: [200, 'application/json', '{"jobs":[{}],"state":"up"}'],
  files: [404, 'text/html', '<h1>Not Found</h1>'],
};

describe('a verb that speaks to what is no pman', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, kind = ''] = (request.url ?? '').split('/');
      if (kind === 'switch') {
        request.socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
        );
        return;
      }
      const [status, type, body] = ANSWERS[kind] ?? [500, 'text/plain', ''];
      response.writeHead(status, { 'Content-Type': type }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const home = tempDir();
  const pman = (...argv: string[]) =>
    pmanVerb({ port: 1, folders: { home, cwd: home } } as never, argv);

  it.each(Object.keys(ANSWERS))('says so, and what to do: %s', async (kind) => {
    const place = ['--server', `${url}/${kind}`];
    const ends = [
      [1, 'ls'],
      [1, 'show', 'abcd'],
      [1, 'kill', 'abcd'],
      [125, 'wait', 'abcd'],
      [125, 'run', ':'],
      [1, 'push', '.', 'place'],
      [1, 'events', '-n', '1', '--after', '0'],
    ] as const;
    const words =
      /^pman: what answered at http:\/\/\S+ is no pman: .*\n {2}name what stands before .*--server.*\n$/;
    const ended = await Promise.all(
      ends.map(async ([, verb, ...argv]) => [verb, await pman(verb, ...place, ...argv)]),
    );
    expect(ended).toEqual(
      ends.map(([code, verb]) => [
        verb,
        { ...{ code, stdout: '' }, stderr: expect.stringMatching(words) },
      ]),
    );
  });

  it('says so at once of one that goes on in another protocol', async () => {
    const { code, stdout, stderr } = await pman('ls', '--server', `${url}/switch`);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^pman: what answered at \S+ is no pman: status 101\n/);
  });

  it('speaks no TLS there', async () => {
    const { code, stderr } = await pman('ls', '--server', url.replace('http:', 'https:'));
    expect([code, stderr.split('\n')]).toEqual([
      1,
      [
        expect.stringMatching(/^pman: no answer from https:/),
        '  what answers there does not speak TLS; name it by http:// in place of https://',
        '',
      ],
    ]);
  });

  it('does not look for a server whose name nobody knows by starting one', async () => {
    const { code, stderr } = await pman('ls', '--server', 'http://no-such-host.invalid:5010');
    expect(code).toBe(1);
    expect(stderr).toMatch(/\n {2}the name no-such-host.invalid is not known .*--server/);
    expect(stderr).not.toMatch(/pman serve/);
  });
});
