import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, isRunning, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import {
  STRANGER,
  strangerConnects,
  strangerListens,
  strangerMissing,
} from '../helpers/stranger.ts';

// Their folder is closed to others. These tests open it, as an administrator may by a slip.
describeWithEngine('another user of the host who reaches a socket', strangerMissing, () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  const jobs = () => join(`${server.folders.DBpath}.spool`, 'jobs');
  const log = () => readFileSync(join(jobs(), 'runner.log'), 'utf8');
  const words = `dropped a process of another user (uid ${STRANGER})`;

  it('cannot have the runner run or end anything, and is told nothing', async () => {
    server = await startServer();
    const jid = await runJob(server, 'echo $$ && exec sleep 60');
    const pid = await eventually(async () => Number((await resultOf(server, jid)).stdout[0]));
    const folder = join(jobs(), (await resultOf(server, jid)).jobRoot);
    const request = { signal: 'SIGKILL', graceMs: 5, cause: 'ended by a stranger' };
    const order = `${JSON.stringify({ do: 'kill', folder, request })}\n`;
    for (const socket of ['runner.sock', 'runner.sock', 'outputs.sock']) {
      expect(await strangerConnects(join(jobs(), socket), order)).toBe('');
    }
    expect(log().split(`runner.sock: ${words}`)).toHaveLength(2); // said once
    expect(log()).toContain(`copier: ${words}`);
    expect(isRunning(pid)).toBe(true);
    // Both go on for those who may.
    await server.post('kill', { key: 'jid', value: jid, grace: 0 });
    expect(await untilEnded(server, jid)).toMatchObject({ returncode: [-15] });
  });

  it('is taken for no runner and no copier: jobs run by those of pman', async () => {
    const folders = makeFolders();
    server = await startServer({ folders });
    await endServer(server);
    mkdirSync(jobs(), { recursive: true, mode: 0o700 });
    const asRunner = await strangerListens(join(jobs(), 'runner.sock'), '{"kind":"ready"}\n');
    const asCopier = await strangerListens(join(jobs(), 'outputs.sock'), '');
    server = await startServer({ folders });
    const jid = await runJob(server, 'echo out; exit 3', { env: { SECRET: 'of a job' } });
    expect(await untilEnded(server, jid)).toMatchObject({
      returncode: [0, 3],
      stdout: ['out\n', ''],
    });
    expect([asRunner(), asCopier()]).toEqual(['', '']);
    await said(server, words);
    expect(existsSync(join(jobs(), 'runner.sock'))).toBe(true);
    expect(log()).toContain(`outputs.sock: ${words}`);
  });
});
