import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import {
  ended,
  gone,
  run,
  start,
  statusOf,
  stopAll,
  unterminal,
} from '../helpers/containerJobs.ts';
import { engineMissing, managerImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { EngineRelay } from '../helpers/engineRelay.ts';
import { eventually } from '../helpers/eventually.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const manager = 'local/following-swarm';
/** Counts as far as a file says, until there is another one. */
const COUNTS =
  "sh -c 'n=0; while [ ! -e /share/go ]; do to=$(cat /share/to); [ $to = $n ] || seq $((n + 1)) $to; n=$to; sleep 0.05; done; printf end'";
const counted = (to: number) => `${Array.from({ length: to }, (_, i) => `${i + 1}\n`).join('')}`;

function countTo(share: string, to: number): void {
  writeFileSync(join(share, 'new'), String(to));
  renameSync(join(share, 'new'), join(share, 'to'));
}

/** The newest job's output as it comes in. */
async function follow(server: TestServer) {
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/_-1/stdout?follow=1`);
  const seen = { text: '', isOver: false };
  const decoder = new TextDecoder();
  const over = (async () => {
    for await (const bytes of answer.body ?? [])
      seen.text += decoder.decode(bytes, { stream: true });
    seen.isOver = true;
  })();
  return { seen, over };
}

describeWithEngine('the output of a container job that is followed', engineMissing, () => {
  jest.setTimeout(120_000);
  let relay: EngineRelay | undefined;
  afterEach(async () => {
    await relay?.cut();
    await stopAll();
  });
  beforeAll(() => managerImage(manager), 120_000);

  it.each([
    ['the built-in manager', {}],
    ['a manager container', { image: manager }],
  ])('comes while the job runs, by %s, and ends with it', async (_, by) => {
    const server = await start('swarm');
    const share = tempDir();
    countTo(share, 1);
    const jid = await run(server, { cmd: COUNTS, manager: { ...by, env: { shareDir: share } } });
    const { seen, over } = await follow(server);
    for (const to of [1, 5, 100]) {
      countTo(share, to);
      await eventually(() => unterminal(seen.text) === counted(to), {
        message: `${to} lines to come in`,
      });
    }
    expect([seen.isOver, (await statusOf(server, jid)).status]).toEqual([false, 'started']);
    writeFileSync(join(share, 'go'), '');
    await over;
    expect(unterminal(seen.text)).toBe(`${counted(100)}end`);
    expect((await ended(server, jid)).logs).toBe(seen.text);
  });

  it('is all of it, also where the record leaves out the middle', async () => {
    const server = await start('swarm');
    const share = tempDir();
    countTo(share, 1);
    const jid = await run(server, { cmd: COUNTS, manager: { env: { shareDir: share } } });
    const { seen, over } = await follow(server);
    await eventually(() => seen.text === counted(1));
    countTo(share, 150_000);
    await eventually(() => seen.text.length === counted(150_000).length);
    writeFileSync(join(share, 'go'), '');
    await over;
    expect(seen.text.length).toBe(counted(150_000).length + 3);
    expect(seen.text === `${counted(150_000)}end`).toBe(true);
    expect((await ended(server, jid)).logs.length).toBeLessThan(2 ** 20 + 200);
  });

  it('goes on where it was when the engine has been lost for a while', async () => {
    relay = await EngineRelay.to();
    const server = await start('swarm', { env: { DOCKER_HOST: relay.address } });
    const share = tempDir();
    countTo(share, 10);
    const jid = await run(server, { cmd: COUNTS, manager: { env: { shareDir: share } } });
    const { seen, over } = await follow(server);
    await eventually(() => seen.text === counted(10));
    await relay.cut();
    countTo(share, 20);
    await relay.restore();
    await eventually(() => seen.text === counted(20), {
      message: 'what was written meanwhile',
    });
    writeFileSync(join(share, 'go'), '');
    await over;
    expect(seen.text).toBe(`${counted(20)}end`);
    await gone(jid);
  });
});
