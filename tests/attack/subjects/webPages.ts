import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { request } from '../../helpers/http.ts';
import { command } from '../../helpers/pman.ts';
import type { TestServer } from '../../helpers/startServer.ts';
import type { Attack, Subject } from '../attack.ts';
import { withPfioh, withPman } from '../victims.ts';

/** What browsers send along with what a page asks for. */
const FOREIGN: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['a page of another site', { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
  ['a page on another port of this host', { Origin: 'http://localhost:1' }],
  ['a sandboxed frame or a local file', { Origin: 'null' }],
  ['a form in an old browser', { Origin: 'http://evil.example', 'Content-Type': 'text/plain' }],
  ['a page whose name was pointed at this host', { Host: 'attacker.example:5010' }],
];

const touching = (server: TestServer, name: string) =>
  command('run', { cmd: `touch '${join(server.folders.cwd, name)}'`, auid: 'page', jid: name });

/** Sends what a page would send, for a job and for the list of jobs. */
async function visit(flags: readonly string[], headers: Readonly<Record<string, string>>) {
  return withPman({ flags }, async (server) => {
    const run = await server.request('POST', '/', { headers, body: touching(server, 'page') });
    const list = await server.request('GET', '/api/v1', { headers });
    expect(existsSync(join(server.folders.cwd, 'page'))).toBe(false);
    expect(run.header('access-control-allow-origin')).toBeUndefined();
    // A program's request does run: the attack failed for the right reason.
    const own = await server.request('POST', '/', { body: touching(server, 'own') });
    expect([own.status, existsSync(join(server.folders.cwd, 'own'))]).toEqual([200, true]);
    return `${run.status}, nothing runs; the list of jobs: ${list.status}`;
  });
}

const pageAttacks: readonly Attack[] = FOREIGN.map(([who, headers]) => ({
  tried: `${who} sends a run to a pman without tokens`,
  observe: () => visit(['--http'], headers),
}));

export const webPages: Subject = {
  title: 'web pages',
  attacks: [
    ...pageAttacks,
    {
      tried: 'a page of another site has pfioh remove a key',
      observe: () =>
        withPfioh([], async ({ port, store }) => {
          mkdirSync(join(store, 'key-v'));
          const body = { action: 'rmtree', meta: { key: 'v' } };
          const statuses = new Set<number>();
          for (const [, headers] of FOREIGN) {
            statuses.add((await request(port, 'POST', '/', { headers, body })).status);
          }
          expect(existsSync(join(store, 'key-v'))).toBe(true);
          return `${[...statuses].join(', ')}, nothing is removed`;
        }),
    },
    {
      tried: 'a real Chromium visits such a page: fetch, beacons, forms, rebinding',
      happens: 'nothing runs, nothing is read',
      shownBy: ['tests/integration/foreignPages.test.ts', 'cannot have pfioh remove a tree'],
    },
  ],
};
