import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { requestBytes, Wire } from '../../helpers/http.ts';
import { command } from '../../helpers/pman.ts';
import { makeFolders, type TestServer } from '../../helpers/startServer.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const TOKEN = 'tok-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const ADMISSION = 'tests/integration/admission.test.ts';
const AUTH = 'tests/integration/auth.test.ts';

function withTokens<T>(attack: (server: TestServer) => Promise<T>): Promise<T> {
  const folders = makeFolders();
  const file = join(folders.home, 'tokens');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  const flags = ['--enableTokenAuth', '--tokenPath', file, '--listeners', '1'];
  return withPman({ folders, flags }, attack);
}

export const strangers: Subject = {
  title: 'clients without a token',
  attacks: [
    {
      tried: 'every verb, with a body that says quit',
      observe: () =>
        withTokens(async (server) => {
          const statuses = new Set<number>();
          for (const verb of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
            const body = command('quit', {});
            statuses.add((await server.request(verb, '/api/v1/cmd', { body })).status);
          }
          expect(server.isRunning).toBe(true);
          return `${[...statuses].join(', ')}, nothing is done`;
        }),
    },
    {
      tried: 'a request hidden behind a refused one on the same connection',
      observe: () =>
        withTokens(async (server) => {
          const wire = await Wire.open(server.port);
          const quit = requestBytes('POST', '/', { body: command('quit', {}) });
          await wire.send(Buffer.concat([requestBytes('POST', '/', { body: quit }), quit, quit]));
          const statuses: number[] = [];
          for (let i = 0; i < 3; i += 1) statuses.push((await wire.answer())?.status ?? 0);
          wire.destroy();
          expect(server.isRunning).toBe(true);
          return statuses.join(', ');
        }),
    },
    {
      tried: 'a large body, with every verb',
      happens: '401 before the body is read',
      shownBy: [ADMISSION, 'is refused before it has sent the body of a %s with %s'],
    },
    {
      tried: '16 MiB of OPTIONS, to hold up the others',
      happens: '401, the others are answered meanwhile',
      shownBy: [ADMISSION, 'does not hold up the others with 16 MiB of OPTIONS'],
    },
    {
      tried: 'to learn from a refusal which tokens there are',
      happens: 'the refusals of right and wrong guesses in other places do not differ',
      shownBy: [ADMISSION, 'learns from the answer only what it has sent'],
    },
    {
      tried: 'the token in other headers, in trailers, in the query, in the body, twice',
      happens: '401',
      shownBy: [AUTH, 'looks at the real header only'],
    },
    {
      tried: 'to find a token in answers, logs, the database, the spool',
      happens: 'it is in none of them',
      shownBy: [AUTH, 'never tells a token: in no reply, log, database or spool'],
    },
  ],
};
