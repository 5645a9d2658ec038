import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { act, endServer, makeGate, replyOf, resultsOf, untilEnded } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('run with a key', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  /** A job that adds a line to a file each time it runs. */
  function counting(key: string, more: object = {}) {
    const file = join(server.folders.cwd, `ran-${key}`);
    const meta = { cmd: `echo x >> '${file}'`, auid: 'a', jid: `j-${key}`, key, threaded: true };
    return {
      meta: { ...meta, ...more },
      runs: () => readFileSync(file, 'utf8').split('\n').length - 1,
    };
  }

  it('makes one job of fifty requests at once', async () => {
    const { meta, runs } = counting('fifty');
    const answers = await Promise.all(Array.from({ length: 50 }, () => act(server, 'run', meta)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.every((answer) => replyOf(answer).status === true)).toBe(true);
    await untilEnded(server, 'j-fifty');
    expect(await resultsOf(server, 'j-fifty')).toHaveLength(1);
    expect(runs()).toBe(1);
  });

  it('refuses the key with anything else, and names the job that has it', async () => {
    const { meta, runs } = counting('other');
    await act(server, 'run', meta);
    const { jobRoot } = await untilEnded(server, 'j-other');
    for (const other of [{ cmd: 'true' }, { auid: 'b' }, { jid: 'x' }, { nice: 1 }, { more: 1 }]) {
      const answer = await act(server, 'run', { ...meta, ...other });
      expect([other, answer.status]).toEqual([other, 409]);
      expect(replyOf(answer).error).toMatchObject({ code: 'conflict' });
      expect(replyOf(answer).error?.message).toContain(jobRoot);
    }
    expect(await resultsOf(server, 'x')).toEqual([]);
    expect(runs()).toBe(1);
  });

  it('makes two jobs of two keys, and of two requests without one', async () => {
    const meta = { cmd: 'true', auid: 'a', jid: 'two', threaded: true };
    await act(server, 'run', { ...meta, key: 'k1' });
    await act(server, 'run', { ...meta, key: 'k2' });
    expect(await resultsOf(server, 'two')).toHaveLength(2);
    await act(server, 'run', meta);
    await act(server, 'run', meta);
    expect(await resultsOf(server, 'two')).toHaveLength(4);
  });

  it('lets a repeated request wait for the job that runs', async () => {
    const gate = makeGate(server);
    const meta = { cmd: gate.wait, auid: 'a', jid: 'waits', key: 'waits' };
    let done = 0;
    const both = [1, 2].map(async () => {
      const answer = await act(server, 'run', meta);
      done += 1;
      return replyOf(answer).status;
    });
    expect((await act(server, 'hello', { askAbout: 'timestamp' })).status).toBe(200);
    expect(done).toBe(0);
    gate.open();
    expect(await Promise.all(both)).toEqual([true, true]);
    expect(await resultsOf(server, 'waits')).toHaveLength(1);
  });

  it.each(['stop', 'kill9'] as const)('knows the key after a %s', async (how) => {
    const ended = counting(`ended-${how}`);
    await act(server, 'run', ended.meta);
    await untilEnded(server, ended.meta.jid);
    const gate = makeGate(server);
    const running = counting(`runs-${how}`);
    const meta = { ...running.meta, cmd: `${running.meta.cmd} && ${gate.wait}` };
    await act(server, 'run', meta);

    await server[how]();
    await server.restart();
    expect((await act(server, 'run', ended.meta)).status).toBe(200);
    expect((await act(server, 'run', meta)).status).toBe(200);
    expect((await act(server, 'run', { ...ended.meta, more: 1 })).status).toBe(409);
    expect((await act(server, 'run', { ...meta, more: 1 })).status).toBe(409);
    gate.open();
    await untilEnded(server, meta.jid);
    expect(await resultsOf(server, ended.meta.jid)).toHaveLength(1);
    expect(await resultsOf(server, meta.jid)).toHaveLength(1);
    expect([ended.runs(), running.runs()]).toEqual([1, 1]);
  });

  it('frees the key of a job that is deleted', async () => {
    const { meta, runs } = counting('freed');
    await act(server, 'run', meta);
    await untilEnded(server, meta.jid);
    expect((await server.post('delete', { key: 'jid', value: meta.jid })).status).toBe(true);
    expect((await act(server, 'run', { ...meta, more: 1 })).status).toBe(200);
    await untilEnded(server, meta.jid);
    expect(runs()).toBe(2);
  });
});
