import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

/** Passes requests on, and lets the answer to the first one that makes a job go lost. */
async function loserOf(port: number) {
  let lost = 0;
  const server = createServer((asked, answer) => {
    const { url, method, headers } = asked;
    const there = request({ host: '127.0.0.1', port, path: url, method, headers }, (given) => {
      if (method === 'POST' && url?.startsWith('/api/v2/jobs') && lost === 0) {
        lost += 1;
        given.resume().once('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(given.statusCode ?? 500, given.headers);
      given.pipe(answer);
    });
    asked.pipe(there);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lost: () => lost,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('the answer to a new job that is lost', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it.each(['run', 'rerun'])('is asked for again, and the job runs once: %s', async (verb) => {
    const name = `lost-${verb}`;
    const count = async () => (await pmanVerb(server, ['ls', '-aq', `${name}*`])).stdout.length / 7;
    const sending = ['run', '--name', name, 'true'];
    if (verb === 'rerun') await pmanVerb(server, sending);
    const before = await count();
    const loser = await loserOf(server.port);
    try {
      const argv = verb === 'run' ? sending : ['rerun', name];
      const end = await pmanVerb({ port: loser.port, folders: server.folders }, argv);
      expect(end).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^\w{6}\n$/),
        stderr: '',
      });
      expect([loser.lost(), await count()]).toEqual([1, before + 1]);
    } finally {
      loser.close();
    }
  });
});

describe('a connection that is lost, in a pipe', () => {
  it('is told, and that it is back; on Ctrl-C nobody claims to know how the job stands', async () => {
    const server = await startServer({ flags: ['--port', '0'] });
    const { port, folders } = server;
    const place = { port, folders };
    try {
      const gate = makeGate(server);
      const line = `echo begun; ${gate.wait}; echo x`;
      const follows = startVerb(place, ['run', '-f', '--name', 'j', line]);
      await eventually(() => follows.shown().stdout === 'begun\n');
      const others = [
        ['logs', '-f', 'j'],
        ['wait', 'j'],
      ].map((argv) => startVerb(place, argv));
      const [logs, waits] = others;
      const broken = startVerb(place, ['logs', '-f', 'j']);
      await eventually(() => logs?.shown().stdout === 'begun\n');
      await eventually(() => broken.shown().stdout === 'begun\n');
      const brokenWait = startVerb(place, ['wait', 'j']);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await server.kill9();
      const all = [follows, ...others, broken, brokenWait];
      const isLost =
        /^pman: the connection to http:\S+ is lost, it is tried again until it is back · \S+\n/;
      await eventually(() => all.every((verb) => isLost.test(verb.shown().stderr)));
      for (const verb of [broken, brokenWait]) verb.kill('SIGINT');
      const left = await broken.ended;
      expect(left.code).toBe(130);
      expect(left.stderr).toMatch(
        /detached: http:\S+ does not answer: whether \w{6} runs is not known · pman logs -f \w{6}\n$/,
      );
      expect((await brokenWait.ended).stderr).toMatch(
        /does not answer: how they stand now is not known · pman wait \w{6}\n$/,
      );
      await server.restart(['--port', String(port)]);
      gate.open();
      expect(await follows.ended).toMatchObject({ code: 0, stdout: 'begun\nx\n' });
      for (const verb of [follows, logs, waits]) {
        const end = await verb?.ended;
        expect(end?.stderr).toMatch(
          /is lost, .*\npman: the connection to http:\S+ is back · \S+\n$/,
        );
      }
    } finally {
      await endServer(server);
    }
  });
});

describe('a job that was accepted and cannot be followed', () => {
  it('is told with its id, and with the way to its files', async () => {
    const tokens: Record<string, string> = {};
    const server = await startServer({
      ownFlags: ({ home, DBpath }) => {
        const file = join(home, 'tokens.ini');
        for (const scopes of ['run', 'run,transfer', 'run,read']) {
          const name = scopes.replace(',', '-');
          tokens[scopes] = name.padEnd(40, '0');
        }
        writeFileSync(
          file,
          Object.entries(tokens)
            .map(
              ([scopes, token]) =>
                `[TOKEN ${scopes.replace(',', '-')}]\nvalue = ${token}\nscopes = ${scopes}\n`,
            )
            .join('\n'),
          { mode: 0o600 },
        );
        return [
          ...['--ip', '127.0.0.1', '--port', '0', '--DBpath', DBpath],
          ...['--enableTokenAuth', '--tokenPath', file],
        ];
      },
    });
    try {
      const withScopes = (scopes: string, ...argv: string[]) =>
        pmanVerb(server, argv, { env: { PMAN_TOKEN: tokens[scopes] ?? '' } });
      const follow = await withScopes('run', 'run', '-f', '--name', 'n', 'true');
      expect(follow.code).toBe(125);
      const [, id = ''] =
        /^pman: (\w{6}) n was accepted and cannot be followed: .*read/.exec(follow.stderr) ?? [];
      expect((await withScopes('run,read', 'wait', id)).code).toBe(0);
      const json = await withScopes('run', 'run', '-f', '--json', 'true');
      expect(JSON.parse(json.stderr)).toMatchObject({
        code: 'forbidden',
        hint: expect.stringContaining('its id is '),
      });
      const pull = await withScopes('run,transfer', 'run', '--pull', '**', 'true');
      expect(pull.code).toBe(125);
      expect(pull.stderr).toMatch(
        /was accepted and cannot be followed: .*\n.*\n {2}its files: pman pull runs\//,
      );
    } finally {
      await endServer(server);
    }
  });
});
