import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { jobPageSchema } from '../../lib/dialects/v2/listSchemas.ts';
import { routes } from '../../lib/dialects/v2/routes.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { endServer } from '../helpers/pman.ts';
import { makeFolders, startServer } from '../helpers/startServer.ts';

const of = { command: 'true' };

describe('a token with an auid', () => {
  it('gets an answer of each route for its own job, and hears of no other', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.ini');
    const [own, all] = ['a'.repeat(40), 'b'.repeat(40)];
    const scopes = 'scopes = read, run, kill, transfer';
    const lines = ['[AUTH TOKENS]', `all = ${all}`, '[TOKEN own]', `value = ${own}`, 'auid = ana'];
    writeFileSync(tokenPath, `${[...lines, scopes].join('\n')}\n`, { mode: 0o600 });
    const flags = ['--enableTokenAuth', '--tokenPath', tokenPath];
    const guarded = await startServer({ folders, flags });
    const client = new ApiClient(guarded);
    const by = (token: string) => ({ Authorization: `Bearer ${token}` });
    const other = await client.submit({ ...of, auid: 'bob' }, by(all));
    const { id } = await client.submit({ command: 'echo a', files: ['x'] }, by(own));
    await client.send('GET', `/api/v2/jobs/${id}?wait=20s`, undefined, by(own));
    for (const path of ['/api/v2/jobs', '/api/v2/jobs?counts=1&state=succeeded&text=e']) {
      const { body } = await client.send('GET', path, undefined, by(own));
      const { jobs, counts } = jobPageSchema.parse(body);
      expect([path, jobs.map((job) => job.id), counts?.succeeded ?? 1]).toEqual([path, [id], 1]);
    }
    for (const [asked, ids] of [
      ['', [id]],
      ['&auid=ana', [id]],
      ['&auid=bob', []],
    ] as const) {
      const path = `/api/v2/events?after=0${asked}`;
      const { body } = await client.send('GET', path, undefined, by(own));
      const { events } = body as { readonly events: readonly { readonly id: string }[] };
      expect([asked, [...new Set(events.map((event) => event.id))]]).toEqual([asked, ids]);
    }
    const answers: unknown[] = [];
    for (const { method, path, operation, body } of routes) {
      if (operation === 'removeJob' || operation === 'getFile') continue;
      const query = operation === 'findOutputLines' ? '?text=a' : '';
      const ask = async (job: string) => {
        const sent = operation === 'submitJob' ? of : body && {};
        const at = `${path.replace('{id}', job)}${query}`;
        return (await client.send(method, at, sent, by(own))).status;
      };
      const [mine, theirs] = [await ask(id), path.includes('{id}') ? await ask(other.id) : 404];
      answers.push([operation, mine < 400 || mine === 409, theirs]);
    }
    expect(answers.filter((one) => JSON.stringify(one).includes('false'))).toEqual([
      // Nothing is sent by this server.
      ['notifyAgain', false, 404],
    ]);
    expect(answers.map((one) => (one as unknown[])[2])).toEqual(answers.map(() => 404));
    await endServer(guarded);
  });
});
