import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, residentMib, runJob, untilEnded } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

/** What docs/performance.md promises of an idle pman and its runner: 60 and 45 MB. */
const IDLE_PMAN_MIB = 57;
const IDLE_RUNNER_MIB = 43;

describe('a pman that has nothing to do', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    const jid = await runJob(server, 'echo first');
    await untilEnded(server, jid);
  });
  afterAll(() => endServer(server));

  const runner = () => {
    const found = server.children().find(({ command }) => command.includes('runnerProcess'));
    if (found === undefined) throw new Error('there is no runner');
    return found.pid;
  };
  const both = () => [residentMib(server.pid), residentMib(runner())] as const;

  it('keeps little memory, and so does its runner', async () => {
    await eventually(
      () => {
        const [pman, ofRunner] = both();
        return pman < IDLE_PMAN_MIB && ofRunner < IDLE_RUNNER_MIB;
      },
      { message: 'pman and its runner to rest' },
    );
  });

  it('then works as before', async () => {
    const jid = await runJob(server, 'echo second');
    expect(await untilEnded(server, jid)).toMatchObject({ stdout: ['second\n'] });
    const [pman, ofRunner] = both();
    expect(pman).toBeLessThan(IDLE_PMAN_MIB + 15);
    expect(ofRunner).toBeLessThan(IDLE_RUNNER_MIB + 15);
  });
});
