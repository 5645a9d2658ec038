import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { act, endServer, replyOf } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('a job that waits', () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '1'] });
    api = new ApiClient(server);
    const first = await api.submit({ command: 'sleep 600' });
    await eventually(async () => (await api.job(first.id)).state === 'running');
  });
  afterAll(() => endServer(server));

  it.each(['STOP', 'CONT', 'WINCH'])(
    'cannot be sent %s, and that is said in words',
    async (signal) => {
      const { id, links } = await api.submit({ command: 'true', jid: `waits-${signal}` });
      const words = `the job ${id} has not started yet`;
      const { status, body } = await api.send('POST', `${links.self}/kill`, { signal });
      expect([status, body]).toMatchObject([409, { code: 'conflict', detail: words }]);
      const meta = { key: 'jid', value: `waits-${signal}`, signal };
      expect(replyOf(await act(server, 'kill', meta))).toMatchObject({
        status: false,
        d_ret: { 0: { jobRoot: id, killed: false, signalled: false, signal: `SIG${signal}` } },
        error: { code: 'conflict', message: words },
      });
      const verb = await pmanVerb(server, ['kill', '-s', signal, id]);
      expect(verb.code).not.toBe(0);
      expect(verb.stderr).toContain('has not started yet');
      expect(await api.job(id)).toMatchObject({ state: 'waiting', endedAt: null });
    },
  );

  it('has the time of its end when it is killed, also for the next pman', async () => {
    const { id, links } = await api.submit({ command: 'true' });
    const before = Date.now();
    expect((await api.send('POST', `${links.self}/kill`)).status).toBe(202);
    const job = await api.job(id, '?wait=20s');
    expect(job).toMatchObject({ state: 'killed', startedAt: null, exitCode: null });
    const ended = Date.parse(job.endedAt ?? '');
    expect(ended).toBeGreaterThanOrEqual(before - 1);
    expect(ended).toBeLessThanOrEqual(Date.now());
    const listed = await api.send('GET', '/api/v2/jobs?state=killed&fields=endedAt');
    expect(listed.body).toMatchObject({ jobs: [{ id, endedAt: job.endedAt }] });
    expect((await pmanVerb(server, ['show', id])).stdout).toContain(`\nended\t${job.endedAt}\n`);
    await server.restart();
    expect(await api.job(id)).toMatchObject({ state: 'killed', endedAt: job.endedAt });
  });
});
