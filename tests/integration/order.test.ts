import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { endServer, replyOf, runJob, untilEnded } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

/** West of each other: local time goes back from one to the next, as at the end of summer time and further. */
const ZONES = ['Etc/GMT-12', 'Etc/GMT', 'Etc/GMT+11'];

/** A server in one zone after the other, each of which runs a job of the zone's name. */
async function inZones(folders = makeFolders()): Promise<TestServer> {
  let server = await startServer({ folders, env: { TZ: ZONES[0] } });
  for (const [i, zone] of ZONES.entries()) {
    if (i > 0) {
      await endServer(server);
      server = await startServer({ folders, env: { TZ: zone } });
    }
    await untilEnded(server, await runJob(server, 'true', { jid: zone }));
  }
  return server;
}

const jids = async (server: TestServer, query: string) => {
  const answer = await server.request('GET', `/api/v1?${query}`);
  const { GET } = replyOf(answer) as { GET: Record<string, { jid: string }> };
  return Object.values(GET).map(({ jid }) => jid);
};

describe('jobs whose stamps go back', () => {
  it('are listed as they were accepted, the newest last, whatever their local time says', async () => {
    const server = await inZones();
    expect(await jids(server, 'limit=10')).toEqual(ZONES);
    expect(await jids(server, 'order=newest&limit=1')).toEqual([ZONES[2]]);
    const newest = await server.request('GET', '/api/v1/_-1/jid');
    expect(newest?.text).toContain(ZONES[2]);
    const minuteAgo = new Date(Date.now() - 60_000).toISOString();
    expect(await jids(server, `since=${minuteAgo}`)).toEqual(ZONES);
    await endServer(server);
  });

  it('keep their order when only the folders of the records are left, copied without their times', async () => {
    const server = await inZones();
    await endServer(server);
    const { folders } = server;
    const copy = makeFolders();
    expect(readdirSync(folders.DBpath)).toHaveLength(3);
    cpSync(folders.DBpath, copy.DBpath, { recursive: true, preserveTimestamps: false });
    rmSync(`${copy.DBpath}.spool`, { recursive: true, force: true });
    expect(existsSync(`${copy.DBpath}.spool`)).toBe(false);
    const second = await startServer({ folders: copy });
    expect(await jids(second, 'limit=10')).toEqual(ZONES);
    await endServer(second);
  });

  it('are removed from the oldest on: --keepJobs keeps the one that came last', async () => {
    const server = await inZones();
    const { folders } = server;
    await endServer(server);
    const keeping = await startServer({ folders, flags: ['--keepJobs', '1'] });
    expect(await jids(keeping, 'limit=10')).toEqual([ZONES[2]]);
    await endServer(keeping);
  });
});
