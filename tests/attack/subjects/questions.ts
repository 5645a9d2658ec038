import { expect } from '@jest/globals';
import { writeHistory } from '../../bench/writeHistory.ts';
import { act, replyOf } from '../../helpers/pman.ts';
import { makeFolders } from '../../helpers/startServer.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const JOBS = 2000;
const QUESTIONS = 20;

export const questions: Subject = {
  title: 'questions about many jobs',
  attacks: [
    {
      tried: 'twenty questions at once that hit all of 2,000 jobs',
      observe: async () => {
        const folders = makeFolders();
        writeHistory({ jobs: JOBS, folder: folders.DBpath });
        return withPman({ folders, flags: ['--listeners', '4'] }, async (server) => {
          let left = QUESTIONS;
          const asked = Array.from({ length: QUESTIONS }, () =>
            act(server, 'info', { key: 'jobCount', value: 1 }).finally(() => {
              left -= 1;
            }),
          );
          let hellos = 0;
          while (left > 0) {
            const { status } = await act(server, 'hello', { askAbout: 'timestamp' });
            expect(status).toBe(200);
            if (left > 0) hellos += 1;
          }
          const [first] = await Promise.all(asked);
          // `info` tells of each job twice: of its start and of its end.
          const hits = Object.keys((replyOf(first ?? null).d_ret ?? {}) as object).length / 2;
          // Without turns for others there is an answer or two between them.
          expect(hellos).toBeGreaterThan(10);
          expect(hits).toBe(1000);
          return 'others are answered in between; 1,000 jobs are told at most';
        });
      },
    },
  ],
};
