import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import { craftArchive } from '../../helpers/archive.ts';
import { request } from '../../helpers/http.ts';
import { Opened } from '../../helpers/transfer.ts';
import type { Subject } from '../attack.ts';
import { withPfioh } from '../victims.ts';

const LONG = 'x'.repeat(300);

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

const PEERS = 'tests/integration/purlPeers.test.ts';

export const transfers: Subject = {
  title: 'pfioh and purl',
  attacks: [
    {
      tried: 'keys and paths with a name of 300 bytes or NUL',
      observe: () =>
        withPfioh(['--createDirsAsNeeded'], async ({ port, outer }) => {
          const statuses = new Set<number>();
          for (const meta of [
            { key: LONG },
            { path: LONG },
            { path: `a/${LONG}` },
            { key: '\0' },
          ]) {
            for (const action of ['ls', 'rmtree']) {
              const { status } = await request(port, 'POST', '/', { body: { action, meta } });
              statuses.add(status);
            }
          }
          expect(readdirSync(outer)).toEqual(['store']);
          expect([...statuses]).toEqual([400]);
          return '400';
        }),
    },
    {
      tried: 'an archive with an entry below a name that pfioh uses itself',
      observe: () =>
        withPfioh([], async ({ port, store }) => {
          const name = `.pfioh-1-${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}.tmp/a`;
          const transport = { compress: { encoding: 'none', archive: 'zip', unpack: true } };
          const meta = { local: { path: 'src' }, remote: { path: '.' }, transport };
          const body = new FormData();
          body.set('d_msg', JSON.stringify({ action: 'pushPath', meta }));
          body.set('encoding', 'none');
          body.set('local', new Blob([craftArchive([{ name }])]), 'x.zip');
          const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
          expect(readdirSync(store)).toEqual([]);
          return `${answer.status}, nothing is kept`;
        }),
    },
    {
      tried: 'a redirect of purl to another server, for its headers and its body',
      observe: async () => {
        const seen: string[] = [];
        const thief = createServer((asked, answer) => {
          seen.push(JSON.stringify(asked.headers));
          asked.on('data', (chunk) => seen.push(String(chunk)));
          asked.on('end', () => answer.end('{}'));
        });
        const thiefPort = await listen(thief);
        const lure = createServer((asked, answer) => {
          asked.resume();
          answer.writeHead(307, { Location: `http://localhost:${thiefPort}/x` }).end();
        });
        const lurePort = await listen(lure);
        const opened = new Opened();
        try {
          const message = '{"action": "hello", "meta": {"secret": "canary-body"}}';
          const secrets = ['--authToken', 'canary-token', '-H', 'X-Api-Key: canary-header'];
          const { stdout } = await opened.purl([
            ...['--quiet', '--http', `127.0.0.1:${lurePort}/`, '--msg', message, ...secrets],
          ]);
          expect(stdout).not.toContain('canary');
          expect(seen.join()).not.toContain('canary');
        } finally {
          await opened.close();
          thief.close();
          lure.close();
        }
        return 'nothing of them is sent to it';
      },
    },
    {
      tried: 'a link that takes the place of a file or folder while it is pulled',
      happens: 'what it leads to is not read',
      shownBy: [
        'tests/unit/lib/transfer/tree.test.ts',
        'stays in the folder that it has found when a link takes its name',
      ],
    },
    {
      tried: 'a server that commands the terminal on which purl shows its answer',
      happens: 'control characters are shown, not obeyed',
      shownBy: [PEERS, 'cannot command the terminal that it is shown on, %s'],
    },
    {
      tried: 'a push whose server has gone, or is another one, to have a script take it for done',
      happens: 'purl ends with the status that curl has for it',
      shownBy: [PEERS, 'fails with --quiet as well: scripts look at the status'],
    },
  ],
};
