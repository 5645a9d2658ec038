import { mkdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { writeHistory } from '../bench/writeHistory.ts';
import { command, endServer } from '../helpers/pman.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

describe('questions that hit many records', () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  it('let short ones be answered meanwhile, also with one listener', async () => {
    const folders = makeFolders();
    mkdirSync(folders.DBpath, { mode: 0o700 });
    writeHistory({ jobs: 1200, folder: folders.DBpath, users: 1 });
    server = await startServer({ folders, flags: ['--listeners', '1'] });
    const ended: string[] = [];
    const ask = async (name: string, action: string, meta: object) => {
      const answer = await server.request('POST', '/', { body: command(action, meta) });
      expect(answer.status).toBe(200);
      ended.push(name);
      return answer.json() as { total?: number; limit?: number; next?: number; status: boolean };
    };
    // A leaf that is not indexed: each record is looked into.
    const long = Array.from({ length: 6 }, () =>
      ask('long', 'done', { key: 'jobCount', value: 1, limit: 1100 }),
    );
    const short = [
      ask('short', 'hello', { askAbout: 'timestamp' }),
      ask('short', 'status', { key: 'jid', value: 'history-7' }),
    ];
    await Promise.all(short);
    expect(ended).toEqual(['short', 'short']);
    for (const answer of await Promise.all(long)) {
      expect(answer).toMatchObject({ status: true, total: 1200, limit: 1100, next: 1100 });
    }
    const list = await server.request('GET', '/api/v1');
    expect(list.json()).toMatchObject({ status: true, total: 1200, limit: 1000, next: 1000 });
  });
});
