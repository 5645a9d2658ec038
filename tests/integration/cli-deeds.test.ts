import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

/** What is said of jobs that are named by chance, have ended, or have not. */
describe('a verb that does something to jobs', () => {
  let server: TestServer;
  const pman = (...argv: string[]) => pmanVerb(server, argv);
  const idOf = async (...argv: string[]) => (await pman('run', '-q', ...argv)).stdout.trim();
  const jsonOf = (text: string) => JSON.parse(text) as Record<string, unknown>;
  beforeAll(async () => {
    server = await startServer({});
    await pman('run', '-q', '--name', 'done', 'true');
    await pman('run', '-q', '--name', 'slow', 'sleep 600');
    await pman('wait', '-q', 'done');
  });
  afterAll(async () => {
    await server.stop();
    server.endJobs();
  });

  it('names those that a name means, and no pattern that means others, too', async () => {
    const ids = [await idOf('--name', 'twin', 'true'), await idOf('--name', 'twin', 'true')];
    await idOf('--name', 'twin-10', 'true');
    const { code, stderr } = await pman('kill', 'twin');
    expect(code).toBe(1);
    for (const id of ids) expect(stderr).toContain(`${id} twin`);
    expect(stderr).toMatch(/name them by their ids\n$/);
    expect(stderr).not.toContain('*');
  });

  it.each([
    ['kill', 'done', 'has ended'],
    ['rm', 'slow', 'has not ended'],
  ])('says what %s would not be done to, as without --dry-run', async (verb, name, why) => {
    const dry = await pman(verb, '--dry-run', name);
    const real = await pman(verb, name);
    expect([dry.code, dry.stdout, dry.stderr]).toEqual([1, '', expect.stringContaining(why)]);
    expect([real.code, real.stdout, real.stderr]).toEqual([1, '', expect.stringContaining(why)]);
  });

  it('says the same to programs: on stdout what is done, on stderr what is not, objects both', async () => {
    const dry = await pman('kill', '--dry-run', '--json', 'slow', 'done');
    expect(jsonOf(dry.stdout)).toEqual({
      dryRun: true,
      jobs: [{ id: expect.stringMatching(/^\d{14}\./) }],
    });
    expect(jsonOf(dry.stderr)).toMatchObject({ code: 'conflict', detail: 'has ended' });
    const real = await pman('rm', '--json', 'slow');
    expect(jsonOf(real.stdout)).toEqual({ jobs: [] });
    const refusal = { code: 'conflict', status: 409, hint: expect.stringMatching(/^pman kill /) };
    expect(jsonOf(real.stderr)).toMatchObject(refusal);
    const quiet = await pman('kill', '--dry-run', '-q', 'slow');
    expect(quiet.stdout).toMatch(/^[0-9a-f]{6}\n$/);
    const late = await pman('wait', '--timeout', '0.1s', '--json', 'slow');
    expect([late.code, late.stdout]).toEqual([124, '']);
    expect(jsonOf(late.stderr)).toMatchObject({ code: 'timeout' });
  });

  it.each([
    [2, ['ls', '--label', 'x'], '--label "x" is not of the form NAME=VALUE'],
    [2, ['events', '-n', '1', '--label', 'x'], '--label "x" is not of the form NAME=VALUE'],
    [2, ['kill', '-s', 'NOPE', 'slow'], '--signal "NOPE"'],
    [2, ['rm', '-y', '--ended', '--older', '7'], '--older "7" lacks a unit: 7d, 7h'],
    [2, ['clean', '-y', '--older', '0.5'], '--older "0.5" lacks a unit'],
    [1, ['rm', '-y', 'running'], 'what is running has not ended'],
    [1, ['kill', '-y', 'failed'], 'what is failed has ended already'],
    [1, ['rm', '--older', '1h', 'slow'], 'has not ended'],
  ])('ends with %d and says why: %j', async (code, argv, why) => {
    const end = await pman(...argv);
    expect([end.code, end.stdout, end.stderr]).toEqual([code, '', expect.stringContaining(why)]);
    expect(end.stderr).not.toContain('openapi');
  });

  it('shows no event where none is asked for', async () => {
    expect(await pman('events', '-n', '0')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('shows what a dozen jobs have written without a word of its own', async () => {
    for (let i = 0; i < 12; i += 1) await idOf('--name', `many-${i}`, `echo ${i}`);
    await pman('wait', '-q', 'many-*');
    const { code, stdout, stderr } = await pman('logs', 'many-*');
    expect([code, stdout.trim().split('\n').length, stderr]).toEqual([0, 12, '']);
  });
});
