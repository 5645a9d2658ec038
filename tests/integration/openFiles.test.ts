import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { Wire } from '../helpers/http.ts';
import { endServer, runJob, statesOf, untilEnded } from '../helpers/pman.ts';
import { builtProgram, startServer } from '../helpers/startServer.ts';

const limited = (limit: string) => [
  ...['/bin/sh', '-c', `${limit}; exec "$@"`, 'sh'],
  ...builtProgram('pman'),
];

describe('a server that may open 64 files', () => {
  it('tells the clients that are too many, and runs and records its jobs all the same', async () => {
    const server = await startServer({ command: limited('ulimit -n 64') });
    const ended = await runJob(server, 'echo ended');
    const { jobRoot } = await untilEnded(server, ended);
    const running = await runJob(server, 'sleep 1 && echo late');
    const wires: Wire[] = [];
    for (let i = 0; i < 80; i += 1) {
      const wire = await Wire.open(server.port);
      wires.push(wire);
      await wire.send('GET /api/v1 HTTP/1.1\r\n').catch(() => undefined); // it may be refused by now
    }
    const last = await wires.at(-1)?.answer({ timeoutMs: 5000 });
    expect(last?.status).toBe(503);
    const leaf = join(server.folders.DBpath, jobRoot, 'endInfo');
    await eventually(() => existsSync(leaf), { message: 'the record to be written' });
    for (const wire of wires) wire.destroy();
    await eventually(async () => (await statesOf(server, ended)).length === 1, {
      message: 'the server to answer again',
    });
    expect(await untilEnded(server, running)).toMatchObject({ stdout: ['late\n'] });
    const more: string[] = [];
    for (let i = 0; i < 40; i += 1) more.push(await runJob(server, 'sleep 0.2'));
    for (const jid of more) expect((await untilEnded(server, jid)).returncode).toEqual([0]);
    expect(server.output.stderr).not.toMatch(/moved aside/);
    await endServer(server);
  });

  it('runs all parts of many jobs, and keeps what they write while children of others hold their outputs open', async () => {
    const server = await startServer({ command: limited('ulimit -n 64') });
    const jids: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      const left = `sh -c 'sleep 6 & echo out ${i}; sleep 0.2; echo more'`;
      jids.push(await runJob(server, `${left}; echo part two; exit 3`));
    }
    for (const [i, jid] of jids.entries()) {
      const result = await untilEnded(server, jid);
      expect(result.cause).toEqual([null, null, null]);
      expect(result.returncode).toEqual([0, 0, 3]);
      expect(result.stdout).toEqual([`out ${i}\nmore\n`, 'part two\n', '']);
    }
    await endServer(server);
  });
});
