import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from '../../helpers/eventually.ts';
import { runJob, untilEnded } from '../../helpers/pman.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const RIGHTS = 'tests/integration/job-rights.test.ts';
const AUDIT = 'tests/unit/lib/access/auditLog.test.ts';

export const hostJobs: Subject = {
  title: 'jobs of the host',
  attacks: [
    {
      tried: 'a job that reads the settings of pman and of its engine in the environment',
      observe: () =>
        withPman(
          { env: { PMAN_SECRET: 'canary', DOCKER_HOST: 'unix:///canary', KEEP: 'kept' } },
          async (server) => {
            const { stdout } = await untilEnded(server, await runJob(server, 'env'));
            expect(stdout.join('')).toContain('KEEP=kept');
            expect(stdout.join('')).not.toContain('canary');
            return 'it does not get them';
          },
        ),
    },
    {
      tried: 'a job that writes without end, with --maxOutput 1',
      observe: () =>
        withPman({ flags: ['--maxOutput', '1'] }, async (server) => {
          const jid = await runJob(server, 'timeout 60 yes');
          const { cause, returncode } = await untilEnded(server, jid, 60_000);
          expect([cause[0], returncode[0] === 0]).toEqual([
            expect.stringMatching(/more than .* on stdout/),
            false,
          ]);
          return 'it is ended, and its cause says why';
        }),
    },
    {
      tried: 'a job of 400 processes, with --jobUser and --maxProcesses 100',
      missing: () => (process.geteuid?.() === 0 ? undefined : 'only root has other users'),
      observe: () =>
        withPman({ flags: ['--jobUser', 'nobody', '--maxProcesses', '100'] }, async (server) => {
          const cmd = 'for i in $(seq 400); do sleep 5 & done; wait';
          const { stderr, cause } = await untilEnded(server, await runJob(server, cmd), 60_000);
          expect(stderr.join('') + cause.join('')).toMatch(/fork|process/i);
          return 'it gets no more than that';
        }),
    },
    {
      tried: 'a run and a refusal, with --auditLog',
      observe: async () => {
        const name = 'audit.jsonl';
        return withPman({ flags: ['--auditLog', name] }, async (server) => {
          await untilEnded(server, await runJob(server, 'echo canary', { env: { A: 'secret' } }));
          await server.request('POST', '/', { headers: { Origin: 'null' }, body: {} });
          const file = join(server.folders.cwd, name);
          const lines = await eventually(() => {
            const all = readFileSync(file, 'utf8').trim().split('\n');
            return all.length >= 2 ? all.map((line) => JSON.parse(line) as object) : undefined;
          });
          const text = JSON.stringify(lines);
          expect(text).toMatch(/"run"/);
          expect(text).not.toContain('secret');
          return 'each is a line of JSON, without secrets';
        });
      },
    },
    {
      tried: 'a job of another user (--jobUser) that kills all that it may, and reads the database',
      happens: 'pman lives on, and the database is closed to it',
      shownBy: [
        RIGHTS,
        'keeps pman from a job that kills all that it may, and the database from all jobs',
      ],
    },
    {
      tried: 'a job of another user that looks for capabilities and groups of root',
      happens: 'it has none',
      shownBy: [RIGHTS, 'runs jobs as that user, with its groups, and nothing of root left'],
    },
    {
      tried: 'to fill the disk with the audit log, or to push out of it what was done',
      happens: 'files are put aside by size; of refusals one a second is written',
      shownBy: [
        AUDIT,
        'writes few of those who are not let in: they cannot push out what was done',
      ],
    },
    {
      tried: 'a link in place of the audit log',
      happens: 'pman does not start',
      shownBy: [AUDIT, 'refuses a link: somebody else may have put it there'],
    },
  ],
};
