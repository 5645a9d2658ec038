import { expect } from '@jest/globals';
import { act } from '../../helpers/pman.ts';
import { said } from '../../helpers/said.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const META = { cmd: 'true', auid: 'a', jid: 'j' };

export const typos: Subject = {
  title: 'slips',
  attacks: [
    ...[{ timout: 5 }, { treaded: true }, { threaded: 'false' }, { memory_limt: '1Gi' }].map(
      (slip) => ({
        tried: `a run with ${JSON.stringify(slip)}`,
        observe: () =>
          withPman({}, async (server) => {
            const answer = await act(server, 'run', { ...META, ...slip });
            const { warnings } = answer.json() as { warnings?: readonly string[] };
            expect(warnings?.join()).toContain(Object.keys(slip)[0]);
            return `${answer.status}, with a warning that names it`;
          }),
      }),
    ),
    {
      tried: 'an unknown parameter of the list, an unknown path below `hello`',
      observe: () =>
        withPman({}, async (server) => {
          const list = await server.request('GET', '/api/v1?limti=5');
          const path = await server.request('GET', '/api/v1/hello/there');
          expect([list.status, path.status]).toEqual([400, 404]);
          return '400, 404';
        }),
    },
    {
      tried: 'a variable PMAN_LISTNERS',
      observe: () =>
        withPman({ env: { PMAN_LISTNERS: '3' } }, async (server) => {
          await said(server, /warn.*PMAN_LISTNERS/);
          return 'pman warns at its start';
        }),
    },
  ],
};
