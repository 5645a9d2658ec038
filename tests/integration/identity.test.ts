import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { act, endServer, replyOf, untilEnded } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('a job has a name of its own', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => endServer(server));

  /** Runs a job to its end; gives what the reply calls it. */
  const run = async (jid: unknown, cmd = 'echo hi'): Promise<{ jobRoot: string; id: string }> => {
    const reply = await server.post('run', { cmd, auid: 'ana', jid });
    expect(reply).toMatchObject({ status: true });
    return reply.d_ret as { jobRoot: string; id: string };
  };

  it('which the reply to its run tells, threaded or not', async () => {
    const { jobRoot, id } = await run('same');
    expect(jobRoot.split('_')[1]?.startsWith(id)).toBe(true);
    const meta = { cmd: 'true', auid: 'ana', jid: 'other', threaded: true };
    const reply = await server.post('run', meta);
    expect(reply.d_ret).toMatchObject({ jobRoot: expect.any(String), id: expect.any(String) });
    await untilEnded(server, 'other');
  });

  it('by which every action finds it: as a whole, and by 4 characters of its uuid', async () => {
    const { jobRoot, id } = await run('one');
    for (const [key, value] of [
      ['jobRoot', jobRoot],
      ['id', id],
      ['id', id.slice(0, 4)],
      ['id', id.toUpperCase()],
    ]) {
      for (const action of ['status', 'done', 'info', 'result']) {
        const { status, d_ret } = await server.post(action, { key, value });
        expect({ action, status }).toEqual({ action, status: true });
        expect(JSON.stringify(d_ret)).toContain(jobRoot);
      }
    }
    for (const place of [id, id.slice(0, 4), jobRoot]) {
      expect((await server.request('GET', `/api/v1/${place}/stdout`))?.text).toBe('hi\n');
      const record = replyOf(await server.request('GET', `/api/v1/${place}/jid`));
      expect(record.GET).toEqual({ [jobRoot]: { jid: 'one' } });
    }
  });

  it('by which one of two jobs with one jid is ended, and removed, while the other stays', async () => {
    const first = await run('twin');
    const meta = { cmd: 'sleep 60', auid: 'ana', jid: 'twin', threaded: true };
    const second = (await server.post('run', meta)).d_ret as { jobRoot: string; id: string };
    const killed = await server.post('kill', { key: 'id', value: second.id, grace: 0 });
    expect(killed.d_ret).toMatchObject({ 0: { jobRoot: second.jobRoot, killed: true } });
    expect(Object.keys(killed.d_ret as object)).toHaveLength(1);
    await server.post('result', { key: 'id', value: first.id });
    const removed = await server.post('delete', { key: 'id', value: first.id });
    expect(removed.status).toBe(true);
    const { GET } = replyOf(await server.request('GET', '/api/v1'));
    expect(Object.keys(GET as object)).toEqual([second.jobRoot]);
  });

  it('and its jid, when that is an integer, by its number and its text', async () => {
    const { jobRoot } = await run(17);
    for (const value of [17, '17']) {
      const { d_ret } = await server.post('result', { key: 'jid', value });
      expect(d_ret).toMatchObject({ 0: { jobRoot } });
    }
  });
});

describe('what cannot be answered', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => endServer(server));

  it.each(['status', 'done', 'info', 'search', 'result'])(
    'is said in words: %s of a job that does not exist',
    async (action) => {
      const { status, error } = await server.post(action, { key: 'jid', value: 'nope' });
      expect(status).toBe(false);
      expect(error).toMatchObject({ code: 'not_found', message: 'no job has jid "nope"' });
    },
  );

  it('is refused: hello that is to echo nothing', async () => {
    const answer = await act(server, 'hello', { askAbout: 'echoBack' });
    expect(answer?.status).toBe(400);
    expect(replyOf(answer).error?.message).toContain('nothing to echo');
    expect((await server.post('hello', { askAbout: 'echoBack', echoBack: '' })).status).toBe(true);
  });

  it('names what could be meant: a status that there is not', async () => {
    const answer = await server.request('GET', '/api/v1?status=running');
    expect(answer?.status).toBe(400);
    expect(replyOf(answer).error?.message).toContain('started, finishedSuccessfully');
  });
});
