import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { ended, metaOf, newId, start, statusOf, stopAll } from '../helpers/containerJobs.ts';
import { engine, engineMissing, managerImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { act, replyOf, resultsOf } from '../helpers/pman.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const manager = 'local/pman-swarm-plain';

describeWithEngine('container jobs with a key', engineMissing, () => {
  jest.setTimeout(180_000);
  afterEach(stopAll);

  beforeAll(() => managerImage(manager), 120_000);

  /** A container job that leaves a file each time it runs. */
  function counting(more: object = {}, by: object = {}) {
    const jid = newId();
    const share = tempDir();
    const cmd = 'sh -c "mktemp /share/ran.XXXXXX"';
    const meta = metaOf({
      jid,
      cmd,
      manager: { ...by, env: { shareDir: share } },
      meta: { key: jid, ...more },
    });
    return { jid, meta, share, runs: () => readdirSync(share).length };
  }

  const statusesOf = async (server: TestServer, times: number, meta: object) => {
    const answers = await Promise.all(
      Array.from({ length: times }, () => act(server, 'run', meta)),
    );
    return new Set(answers.map(({ status }) => status));
  };

  it.each([
    ['the built-in manager', {}],
    ['a manager container', { image: manager, app: 'swarm.py' }],
  ])('make one job of fifty requests at once, by %s', async (_, by) => {
    const server = await start('swarm');
    const { jid, meta, runs } = counting({}, by);
    expect(await statusesOf(server, 50, meta)).toEqual(new Set([200]));
    await ended(server, jid);
    expect(await statusesOf(server, 5, meta)).toEqual(new Set([200]));
    expect(await resultsOf(server, jid)).toHaveLength(1);
    expect(runs()).toBe(1);
  });

  it('refuse the key with anything else, also at the same time', async () => {
    const server = await start('swarm');
    const { jid, meta, runs } = counting();
    const otherJid = newId();
    const other = metaOf({ jid: otherJid, cmd: 'true', meta: { key: jid } });
    const [first, second] = await Promise.all([
      act(server, 'run', meta),
      act(server, 'run', other),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
    const host = { cmd: 'true', auid: 'a', jid: 'on the host', key: jid };
    const refused = await act(server, 'run', host);
    expect(refused.status).toBe(409);
    expect(replyOf(refused).error?.message).toContain('stands for another job');
    const isFirst = first.status === 200; // whichever came through first
    await ended(server, isFirst ? jid : otherJid);
    expect(runs()).toBe(isFirst ? 1 : 0);
  });

  it('give way to a host job that takes the key while the engine is asked, or the other way round', async () => {
    const server = await start('swarm');
    const { meta, jid, runs } = counting();
    const host = { cmd: 'true', auid: 'a', jid: 'on the host', key: jid, threaded: true };
    const answers = await Promise.all([act(server, 'run', meta), act(server, 'run', host)]);
    const statuses = answers.map(({ status }) => status);
    const isHost = statuses[1] === 200; // nearly always: it asks nobody
    expect(statuses).toEqual(isHost ? [409, 200] : [200, 409]);
    if (!isHost) await ended(server, jid);
    expect(runs()).toBe(isHost ? 0 : 1);
  });

  it.each([
    ['the built-in manager', {}],
    ['a manager container', { image: manager, app: 'swarm.py' }],
  ])('know the key after a kill -9 in every stage, by %s', async (_, by) => {
    const server = await start('swarm');
    const over = counting({}, by);
    await act(server, 'run', over.meta);
    await ended(server, over.jid);
    const waiting = counting({}, by);
    const late = join(waiting.share, 'late');
    const waitingMeta = metaOf({
      jid: waiting.jid,
      cmd: 'mktemp /share/ran.XXXXXX',
      manager: { ...by, env: { shareDir: late } },
      meta: { key: waiting.jid },
    });
    const running = counting({}, by);
    const runningMeta = {
      ...running.meta,
      cmd: 'sh -c "mktemp /share/ran.XXXXXX; while [ ! -e /share/go ]; do sleep 0.1; done"',
    };
    await act(server, 'run', runningMeta);
    await eventually(async () => (await statusOf(server, running.jid)).status === 'started', {
      timeoutMs: 30_000,
    });
    await act(server, 'run', waitingMeta);
    await server.kill9();
    await server.restart();
    const metas = [over.meta, runningMeta, waitingMeta];
    for (const meta of metas) {
      expect(await statusesOf(server, 3, meta)).toEqual(new Set([200]));
      expect((await act(server, 'run', { ...meta, more: 1 })).status).toBe(409);
    }
    mkdirSync(late);
    writeFileSync(join(running.share, 'go'), '');
    for (const { jid } of [over, running, waiting]) {
      expect((await ended(server, jid)).status).toBe('finishedSuccessfully');
      expect(await resultsOf(server, jid)).toHaveLength(1);
    }
    expect(readdirSync(late)).toHaveLength(1);
    await server.restart();
    for (const meta of metas) expect((await act(server, 'run', meta)).status).toBe(200);
    expect([over.runs(), running.runs()]).toEqual([1, 2]); // one of the two is "go"
  });

  it('begin anew with the key when the engine was away the first time', async () => {
    const socket = join(tempDir(), 'engine.sock');
    const server = await start('swarm', { env: { DOCKER_HOST: `unix://${socket}` } });
    const { jid, meta, runs } = counting();
    expect(await statusesOf(server, 10, meta)).toEqual(new Set([503]));
    expect(await resultsOf(server, jid)).toEqual([]);
    symlinkSync((engine ?? '').replace('unix://', ''), socket);
    expect(await statusesOf(server, 10, meta)).toEqual(new Set([200]));
    await ended(server, jid);
    expect(runs()).toBe(1);
  });

  it('are waited for by every request that is not threaded', async () => {
    const server = await start('swarm');
    const { jid, meta, runs } = counting({ threaded: false });
    expect(await statusesOf(server, 3, meta)).toEqual(new Set([200]));
    expect((await statusOf(server, jid)).status).toBe('finishedSuccessfully');
    expect(runs()).toBe(1);
  });
});
