import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import {
  busybox,
  ended,
  gone,
  metaOf,
  newId,
  run,
  services,
  start,
  statusOf,
  stopAll,
} from '../helpers/containerJobs.ts';
import { docker, engineMissing } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** How container jobs on a swarm begin, are ended, and outlive what may happen to pman. */
describeWithEngine('container jobs', engineMissing, () => {
  jest.setTimeout(180_000);
  afterEach(stopAll);

  it('show what they have written while they run; kill ends them and delete removes them', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "trap \'echo bye; exit 9\' TERM; echo up; while true; do sleep 0.1; done"',
    });
    await eventually(async () => {
      const { status, logs } = await statusOf(server, jid);
      return status === 'started' && logs === 'up\n';
    });
    const named = { key: 'jid', value: jid };
    expect(await server.post('delete', named)).toMatchObject({ error: { code: 'conflict' } });
    const reply = await server.post('kill', { ...named, auid: 'me' });
    expect(reply).toMatchObject({ status: true, d_ret: { 0: { killed: true } } });
    const { status, logs, node } = await ended(server, jid);
    expect({ status, logs }).toEqual({ status: 'finishedWithError', logs: 'up\nbye\n' });
    expect(node.cause).toBe('ended by a kill request of me');
    await gone(jid);
    expect(await server.post('kill', named)).toMatchObject({ d_ret: { 0: { killed: false } } });
    expect(await server.post('delete', named)).toMatchObject({ status: true });
    expect(await server.post('status', named)).toMatchObject({ status: false });
  });

  it('are ended at last when they do not heed the signal', async () => {
    const server = await start('swarm');
    const jid = await run(server, {
      cmd: 'sh -c "trap : TERM; echo up; while true; do sleep 0.1; done"',
    });
    await eventually(async () => (await statusOf(server, jid)).logs.includes('up'), {
      timeoutMs: 30_000,
    });
    await server.post('kill', { key: 'jid', value: jid, grace: 0.2 });
    const { node } = await ended(server, jid);
    expect(node.state).toMatchObject({ Status: { ContainerStatus: { ExitCode: 137 } } });
  });

  it('name no kill request as the cause when they did not heed it and ended well', async () => {
    const server = await start('swarm');
    const share = tempDir();
    const jid = await run(server, {
      cmd: 'sh -c "trap : INT; echo up; while [ ! -e /share/go ]; do sleep 0.1; done"',
      manager: { env: { shareDir: share } },
    });
    await eventually(async () => (await statusOf(server, jid)).logs.includes('up'), {
      timeoutMs: 30_000,
    });
    await server.post('kill', { key: 'jid', value: jid, signal: 'INT', grace: 60 });
    writeFileSync(join(share, 'go'), '');
    const { status, node } = await ended(server, jid);
    expect(status).toBe('finishedSuccessfully');
    expect(node.cause ?? '').toBe('');
  });

  it('give their own output and command, not those of the record of their scheduling', async () => {
    const server = await start('swarm');
    const share = tempDir();
    const cmd = 'sh -c "echo grüße; while [ ! -e /share/go ]; do sleep 0.1; done; echo done"';
    const jid = await run(server, { cmd, manager: { env: { shareDir: share } } });
    const get = async (path: string) =>
      (await server.request('GET', `/api/v1/_-1/${path}`, { timeoutMs: 60_000 })).text;
    await eventually(async () => (await get('stdout')) === 'grüße\n');
    const followed = get('stdout?follow=1');
    writeFileSync(join(share, 'go'), '');
    const output = 'grüße\ndone\n';
    expect(await followed).toBe(output);
    await ended(server, jid);
    expect([await get('stdout'), await get('0/stdout'), await get('stderr')]).toEqual([
      ...[output, output],
      '',
    ]);
    expect(await server.post('result', { key: 'jid', value: jid })).toMatchObject({
      d_ret: { 0: { cmd: [cmd], stdout: [output], returncode: [0] } },
    });
  });

  it('say which folder they wait for', async () => {
    const server = await start('swarm');
    const shareDir = join(tempDir(), 'late');
    const jid = await run(server, { cmd: 'true', manager: { env: { shareDir } } });
    const { status, note } = await statusOf(server, jid);
    expect(status).toBe('notstarted');
    expect(note).toBe(`it waits for the folder ${shareDir}, which is not there`);
    mkdirSync(shareDir);
    expect(await ended(server, jid)).toMatchObject({ status: 'finishedSuccessfully' });
    expect((await statusOf(server, jid)).note).toBeUndefined();
  });

  it('have a name each: a live one is refused again, an ended one makes room', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'sleep 600' });
    const again = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
    const refused = await server.request('POST', '/', { body: again });
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({ error: { message: expect.stringContaining(jid) } });
    const other = await start('swarm');
    expect((await other.request('POST', '/', { body: again })).status).toBe(409);
    await server.post('kill', { key: 'jid', value: jid, signal: 'KILL' });
    await eventually(async () => (await server.post('run', metaOf({ jid, cmd: 'true' }))).status, {
      pollMs: 100,
    });
    await eventually(async () => {
      const reply = await server.post('status', { key: 'jid', value: jid });
      const words = (reply.d_ret as { readonly l_status: string[] }).l_status;
      return words.join() === 'finishedWithError,finishedSuccessfully';
    });
    await gone(jid);
  });

  it('are not robbed of their end by another pman that wants their name', async () => {
    const [server, other] = [await start('swarm'), await start('swarm')];
    const share = tempDir();
    const jid = await run(server, {
      cmd: 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done"',
      manager: { env: { shareDir: share } },
    });
    await eventually(async () => (await statusOf(server, jid)).status === 'started', {
      timeoutMs: 30_000,
    });
    await server.kill9();
    writeFileSync(join(share, 'go'), '');
    const state = () => docker('service', 'ps', '--format', '{{.CurrentState}}', jid);
    await eventually(() => state().startsWith('Complete'), { pollMs: 100 });
    const body = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
    expect((await other.request('POST', '/', { body })).status).toBe(409);
    await server.restart();
    expect(await ended(server, jid)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'done\n',
    });
    await gone(jid);
    await run(other, { jid, cmd: 'true' });
    expect((await ended(other, jid)).status).toBe('finishedSuccessfully');
  });

  it('leave a service of somebody else alone', async () => {
    const server = await start('swarm');
    const jid = newId();
    docker('service', 'create', '--detach', '--name', jid, busybox, 'sleep', '600');
    try {
      const body = { payload: { action: 'run', meta: metaOf({ jid, cmd: 'true' }) } };
      expect((await server.request('POST', '/', { body })).status).toBe(409);
      expect(services()).toContain(jid);
    } finally {
      docker('service', 'rm', jid);
    }
  });

  it('and host jobs of one search have a state each', async () => {
    const server = await start('swarm');
    const auid = newId();
    const meta = { auid, jid: newId() };
    const jid = await run(server, { cmd: 'echo in a container', meta, jid: meta.jid });
    await server.post('run', { cmd: 'echo here', auid, jid: 'host', threaded: false });
    await ended(server, jid);
    const reply = await server.post('status', { key: 'auid', value: auid });
    expect(reply.d_ret).toMatchObject({
      l_status: ['finishedSuccessfully', 'finishedSuccessfully'],
      l_logs: ['in a container\n', ''],
      '1.container': { tree: null },
    });
  });

  it('wait for the folder that they share, and end before the answer when not threaded', async () => {
    const server = await start('swarm');
    const share = join(tempDir(), 'late');
    const jid = newId();
    const answer = server.post(
      'run',
      {
        ...metaOf({ jid, cmd: 'touch /share/out', manager: { env: { shareDir: share } } }),
        threaded: false,
      },
      { timeoutMs: 60_000 },
    );
    await eventually(async () => (await statusOf(server, jid)).status === 'notstarted');
    expect(services()).not.toContain(jid);
    mkdirSync(share);
    expect(await answer).toMatchObject({ status: true });
    expect(existsSync(join(share, 'out'))).toBe(true);
    expect((await statusOf(server, jid)).status).toBe('finishedSuccessfully');
  });

  it('survive a server that is killed, in every stage', async () => {
    const server = await start('swarm');
    const folder = tempDir();
    const running = await run(server, {
      cmd: 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done; exit 4"',
      manager: { env: { shareDir: folder } },
    });
    await eventually(async () => (await statusOf(server, running)).status === 'started', {
      timeoutMs: 30_000,
    });
    const waiting = await run(server, {
      cmd: 'echo late',
      manager: { env: { shareDir: join(folder, 'later') } },
    });
    const fresh = await run(server, { cmd: 'echo fresh' });
    await server.kill9();
    mkdirSync(join(folder, 'later'));
    writeFileSync(join(folder, 'go'), '');
    await server.restart();
    expect(await ended(server, running)).toMatchObject({
      status: 'finishedWithError',
      logs: 'done\n',
    });
    expect(await ended(server, waiting)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'late\n',
    });
    expect(await ended(server, fresh)).toMatchObject({
      status: 'finishedSuccessfully',
      logs: 'fresh\n',
    });
    for (const jid of [running, waiting, fresh]) await gone(jid);
  });

  it('are followed by their record alone, as the original has left it', async () => {
    const server = await start('swarm');
    const folder = tempDir();
    const cmd = 'sh -c "while [ ! -e /share/go ]; do sleep 0.1; done; echo done; exit 4"';
    const jid = await run(server, { cmd, manager: { env: { shareDir: folder } } });
    const gone1 = await run(server, { cmd: 'sleep 600' });
    for (const one of [jid, gone1]) {
      await eventually(async () => (await statusOf(server, one)).status === 'started', {
        timeoutMs: 30_000,
      });
    }
    await server.stop();
    rmSync(`${server.folders.DBpath}.spool/containers`, { recursive: true });
    docker('service', 'rm', gone1);
    await server.restart();
    expect(await ended(server, gone1)).toMatchObject({
      status: 'finishedWithError',
      node: { cause: expect.stringContaining('removed by somebody else') },
    });
    writeFileSync(join(folder, 'go'), '');
    expect(await ended(server, jid)).toMatchObject({
      status: 'finishedWithError',
      logs: 'done\n',
    });
    await gone(jid);
  });

  it('end with the right state when 50 come at once', async () => {
    const server = await start('swarm');
    const jids = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        run(server, { cmd: `sh -c "echo ${i}; exit ${i % 2}"` }),
      ),
    );
    for (const [i, jid] of jids.entries()) {
      const { status, logs } = await ended(server, jid, 150_000);
      const word = i % 2 === 0 ? 'finishedSuccessfully' : 'finishedWithError';
      expect({ i, status, logs }).toEqual({ i, status: word, logs: `${i}\n` });
    }
    await eventually(() => jids.every((jid) => !services().includes(jid)), { timeoutMs: 60_000 });
  });
});
