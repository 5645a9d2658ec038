import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { ended, gone, metaOf, run, services, start, stopAll } from '../helpers/containerJobs.ts';
import { docker, engineMissing, managerImage, scriptImage } from '../helpers/docker.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

const manager = 'local/hanging-swarm';
const idle = 'local/idle-swarm';
/** Our program in that image, which does not end when it has made a service. */
const HANGS_WHEN_DONE = `node -e 'import("/app/dist/bin/swarm.js").then(() => process.argv[2] === "-s" && setInterval(() => {}, 1000))' swarm`;

const managers = (image: string) => docker('ps', '-aq', '--filter', `ancestor=${image}`);

/** Pauses a container; false as long as it is not there or does not run yet. */
function isPaused(id: string): boolean {
  try {
    docker('pause', id);
    return true;
  } catch {
    return false;
  }
}

/** A job that is being scheduled by a manager container that never ends can be ended nevertheless. */
describeWithEngine('a job whose manager container hangs', engineMissing, () => {
  afterEach(stopAll);
  beforeAll(() => {
    managerImage(manager);
    scriptImage(idle, { 'swarm.py': 'sleep 600\n' });
  }, 120_000);

  it('is ended at once by a kill, and so is the manager container', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'true', manager: { image: idle, app: 'swarm.py' } });
    await eventually(() => managers(idle) !== '');
    await server.post('kill', { key: 'jid', value: jid });
    const { status, node } = await ended(server, jid, 10_000);
    expect(status).toBe('finishedWithError');
    expect(node.cause).toBe('ended by a kill request before it started');
    expect(managers(idle)).toBe('');
  });

  it('is ended with its service when the manager had made that', async () => {
    const server = await start('swarm');
    const share = tempDir();
    const jid = await run(server, {
      cmd: 'sh -c "touch /share/up; sleep 600"',
      manager: { image: manager, app: HANGS_WHEN_DONE, env: { shareDir: share } },
    });
    await eventually(() => existsSync(join(share, 'up')));
    await server.post('kill', { key: 'jid', value: jid });
    const { status, node } = await ended(server, jid, 20_000);
    expect(status).toBe('finishedWithError');
    expect(node.cause).toBe('ended by a kill request');
    await gone(jid);
  });

  it('is not started by the next server when it was killed before the last one was', async () => {
    const server = await start('swarm');
    const share = tempDir();
    const jid = await run(server, {
      cmd: 'touch /share/ran',
      manager: { image: idle, app: 'swarm.py', env: { shareDir: share } },
    });
    await eventually(() => isPaused(managers(idle).trim())); // the engine takes its time to remove it
    await server.post('kill', { key: 'jid', value: jid });
    await server.kill9();
    await server.restart();
    const { status } = await ended(server, jid, 30_000);
    expect(status).toBe('finishedWithError');
    expect([existsSync(join(share, 'ran')), services().includes(jid)]).toEqual([false, false]);
  });
});

describeWithEngine('a container job with a time limit', engineMissing, () => {
  afterEach(stopAll);

  it('is ended when its time is over, with the cause in words', async () => {
    const server = await start('swarm');
    const jid = await run(server, { cmd: 'sleep 600', meta: { timeout: 2 } });
    const { status, node } = await ended(server, jid, 40_000);
    expect({ status, cause: node.cause }).toEqual({
      status: 'finishedWithError',
      cause: 'time limit 2 s',
    });
    await gone(jid);
  });

  it('is ended by the next server when its time ran out while there was none', async () => {
    const server = await start('swarm');
    const share = tempDir();
    const jid = await run(server, {
      cmd: 'sh -c "touch /share/up; sleep 600"',
      manager: { env: { shareDir: share } },
      meta: { timeout: 1.5 },
    });
    await eventually(() => services().includes(jid));
    await server.kill9();
    await server.restart();
    const { node } = await ended(server, jid, 40_000);
    expect(node.cause).toBe('time limit 1.5 s');
  });

  it.each([
    ['nice', 5],
    ['env', { A: 'b' }],
    ['stdin', 'x'],
  ])('is refused with what a swarm cannot give it: %s', async (name, value) => {
    const server = await start('swarm');
    const reply = await server.post(
      'run',
      metaOf({ jid: 'j', cmd: 'true', meta: { [name]: value } }),
    );
    expect(reply).toMatchObject({
      status: false,
      error: {
        code: 'bad_request',
        message: `run: "meta.${name}": is not for container jobs here`,
      },
    });
  });
});
