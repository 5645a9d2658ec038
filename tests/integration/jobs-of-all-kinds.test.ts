import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readPmanConfig } from '../../lib/config/pman.ts';
import { plainDialect } from '../../lib/dialects/envelope/statusAnswer.ts';
import { sharedFolders } from '../../lib/jobs/container/plan.ts';
import { silentLogger } from '../../lib/log.ts';
import { type PmanServer, startServer } from '../../lib/server/server.ts';
import { newName } from '../helpers/containerPman.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../helpers/memoryEngine.ts';
import { tempDir } from '../helpers/tempDir.ts';

/**
 * A whole server over an engine in memory: what is said of jobs holds for those in containers, too. (Those of the host are in
 * lifetime.test.ts, health.test.ts and actions-database.test.ts.)
 */
let world: MemoryWorld;
let server: PmanServer;
let folder: string;
let quits: Array<{ readonly endJobs?: boolean }>;

async function open(...flags: readonly string[]): Promise<void> {
  const argv = ['--ip', '127.0.0.1', '--port', '0', '--DBpath', join(folder, 'db'), ...flags];
  const asked = readPmanConfig({ argv, env: {} });
  if (asked.kind !== 'run') throw new Error('the flags do not start a server');
  server = await startServer({
    config: asked.config,
    log: silentLogger(),
    openFileio: async () => ({
      ...{ ip: '127.0.0.1', port: 1, scheme: 'http' as const, folder: '/nowhere' },
    }),
    containerJobs: {
      kind: 'engine',
      name: 'docker',
      shareRule: sharedFolders(undefined),
      dialect: plainDialect,
      open: async () => new MemoryEngine(world),
    },
    readShown: readMemoryShown,
    onQuit: (options) => quits.push(options),
  });
}

async function post(action: string, meta: object): Promise<Record<string, unknown>> {
  const url = server.gateway.endpoint.replace('tcp://', 'http://');
  const body = JSON.stringify({ payload: { action, meta } });
  const reply = await fetch(`${url}/api/v1/cmd`, { method: 'POST', body });
  return (await reply.json()) as Record<string, unknown>;
}

const run = async (cmd: string, more: object = {}) => {
  const jid = newName();
  const reply = await post('run', { cmd, auid: 'u', jid, threaded: true, ...more });
  expect(reply.status).toBe(true);
  return jid;
};
const inContainer = { container: { target: { image: MEMORY_IMAGE } } };
const statusOf = async (jid: string) => {
  const { d_ret } = await post('status', { key: 'jid', value: jid });
  return (d_ret as { l_status?: string[] }).l_status?.[0];
};
const isStarted = (jid: string) => eventually(async () => (await statusOf(jid)) === 'started');
const causeOf = async (jid: string) => {
  const { d_ret } = await post('result', { key: 'jid', value: jid });
  return (d_ret as { 0: { cause: string[] } })[0].cause[0];
};

describe('jobs in containers', () => {
  beforeEach(() => {
    world = new MemoryWorld();
    folder = tempDir();
    quits = [];
  });
  // Here, and not at the top: the folder is still there then, and the ends of jobs can be written.
  afterEach(async () => {
    await server.close({ endJobs: true });
    await world.close();
  });

  it('stay when the database is cleared while they run; those that have ended go', async () => {
    await open();
    const running = [await run('sleep 600', inContainer)];
    const over = [await run('true', inContainer)];
    for (const jid of running) await isStarted(jid);
    for (const jid of over) {
      await eventually(async () => (await statusOf(jid)) === 'finishedSuccessfully');
    }
    await post('DBctl', { do: 'clear' });
    for (const jid of running) expect(await statusOf(jid)).toBe('started');
    for (const jid of over) expect(await statusOf(jid)).toBeUndefined();
  });

  it('are counted by the health answer, the running and the waiting', async () => {
    await open();
    const running = [await run('sleep 600', inContainer), await run('sleep 600', inContainer)];
    for (const jid of running) await isStarted(jid);
    world.gate = new Promise(() => undefined);
    const env = { shareDir: join(folder, 'nosuch') };
    await run('true', { container: { ...inContainer.container, manager: { env } } });
    const { d_ret } = await post('hello', { askAbout: 'health' });
    expect(d_ret).toMatchObject({ health: { jobs: { running: 2, waiting: 1, recorded: 3 } } });
  });

  it.each([
    ['--jobsAtExit end says so', ['--jobsAtExit', 'end'], {}],
    ['the request to quit says so', [], { endJobs: true }],
  ])('are ended with pman when %s, and say so', async (_, flags, options) => {
    await open(...flags);
    const jids = [await run('sleep 600', inContainer), await run('sleep 600', inContainer)];
    for (const jid of jids) await isStarted(jid);
    await post('quit', 'endJobs' in options ? { jobs: 'end' } : {});
    await server.close(quits[0]);
    expect(world.works.size).toBe(0);
    await open();
    for (const jid of jids) {
      expect(await statusOf(jid)).toBe('finishedWithError');
      expect(await causeOf(jid)).toBe('ended with pman');
    }
  });

  it('go on when pman ends without being told to end them', async () => {
    await open();
    const jids = [await run('sleep 600', inContainer), await run('sleep 600', inContainer)];
    for (const jid of jids) await isStarted(jid);
    await post('quit', {});
    await server.close(quits[0]);
    await open();
    for (const jid of jids) expect(await statusOf(jid)).toBe('started');
  });

  it('are not removed while they run', async () => {
    await open();
    for (const jid of [await run('sleep 600', inContainer), await run('sleep 600', inContainer)]) {
      await isStarted(jid);
      expect(await post('delete', { value: jid })).toMatchObject({
        status: false,
        error: { code: 'conflict' },
      });
    }
  });

  it('do not keep pman from ending when the engine is away', async () => {
    await open();
    const jid = await run('sleep 600', inContainer);
    await isStarted(jid);
    world.isAway = true;
    await server.close({ endJobs: true });
    world.isAway = false;
    await open();
    expect(await statusOf(jid)).toBe('started');
  });
});
