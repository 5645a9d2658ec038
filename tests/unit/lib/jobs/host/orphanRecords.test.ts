import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../../../../../lib/access/caller.ts';
import { operateDatabase } from '../../../../../lib/actions/databaseOperation.ts';
import type { Pace } from '../../../../../lib/concurrency/turns.ts';
import { newJobRoot } from '../../../../../lib/records/jobRoot.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordStart,
} from '../../../../../lib/records/record.ts';
import { dispatch } from '../../../../../lib/server/dispatch.ts';
import { openServices, type TestServices } from '../../../../helpers/services.ts';

const MANY = 100;

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

/** A job that has not ended, and that nobody runs. */
function addOrphan(jid: string): string {
  const root = newJobRoot(Date.now());
  const job = { cmd: 'sleep 1', auid: 'ana', jid };
  host.services.database.add(root, newRecord({ rawMeta: job, ...job }));
  host.services.database.release(root);
  return root;
}

const isLost = (root: string) =>
  host.services.database.tree(root)?.leaves.get('lost') !== undefined;

describe('after DBctl load, records of jobs that nobody runs', () => {
  it('are closed one by one: hello is answered in between, however many there are', async () => {
    const roots = Array.from({ length: MANY }, (_, i) => addOrphan(`job-${i}`));
    const seen: Array<{ readonly hello: unknown; readonly lost: number }> = [];
    const pace: Pace = {
      isOthersTurn: true,
      turn: async () => {
        const meta = { askAbout: 'timestamp' };
        const asked = { action: 'hello', rawMeta: meta, threaded: false };
        const { status } = await dispatch(host.services, asked, { caller: ANYBODY });
        seen.push({ hello: status, lost: roots.filter(isLost).length });
      },
    };
    await operateDatabase(host.services, { operation: 'load' }, pace);
    expect(roots.filter(isLost)).toHaveLength(MANY);
    expect(seen.every(({ hello }) => hello === true)).toBe(true);
    // No step closes two.
    expect(new Set(seen.map(({ lost }) => lost)).size).toBeGreaterThanOrEqual(MANY);
  });

  it('stay as they are when they end, or are removed, before it is their turn', async () => {
    const [first = '', ended = '', removed = ''] = ['a', 'b', 'c'].map(addOrphan);
    const { database } = host.services;
    let turns = 0;
    let atItsEnd: unknown;
    const turn = async () => {
      turns += 1;
      if (turns !== 1) return;
      const record = database.edit(ended);
      if (record === undefined) throw new Error('the record is gone');
      recordStart(record, 0, { cmd: 'true', pid: 1, startedAt: 0, host: {} });
      recordEnd(record, 0, { endedAt: 1, returncode: 0, stdout: '', stderr: '' });
      recordDone(record, 1);
      database.release(ended, 5000);
      atItsEnd = database.summary(ended);
      await database.remove([removed]);
    };
    await host.services.closeOrphans({ isOthersTurn: true, turn });
    expect([first, ended].map(isLost)).toEqual([true, false]);
    expect(atItsEnd).toMatchObject({ status: 'finishedSuccessfully' });
    expect(database.summary(ended)).toEqual(atItsEnd);
    expect(database.has(removed)).toBe(false);
  });
});
