import { describe, expect, it } from '@jest/globals';
import { ContainerJob, type ContainerJobState } from '../../../../../lib/jobs/container/job.ts';

const facts = {
  root: 'r',
  recorded: { meta: {}, container: {}, cmdMgr: '', cmd: '', auid: '', jid: '' },
  request: {
    ...{ name: 'n', image: 'i', cmd: 'c', options: {} },
    owner: { job: 'r', instance: 'p', jid: '', auid: '' },
  },
  limits: {},
};
const WORK = { handle: { id: 1 }, since: 5 };

function jobIn(state: ContainerJobState) {
  const saved: string[] = [];
  const job = new ContainerJob(facts, state, ({ kind }) => saved.push(kind));
  return { job, saved };
}

describe('ContainerJob', () => {
  it('goes from accepted over starting to running, each step on the disk before the next', () => {
    const { job, saved } = jobIn({ kind: 'accepted' });
    expect(job.isUnasked).toBe(true);
    job.starting();
    expect([job.isUnasked, job.started]).toEqual([false, undefined]);
    job.madeWork(WORK);
    expect(job.state).toEqual({ kind: 'running', ...WORK });
    expect(job.work).toEqual({ name: 'n', handle: WORK.handle, workers: 1 });
    expect(saved).toEqual(['starting', 'running']);
  });

  it('waits for a folder again after a restart: that it has appeared is not written', () => {
    const { job, saved } = jobIn({ kind: 'awaitingFolder', folder: '/f' });
    job.folderAwaited();
    expect(job.state).toEqual({ kind: 'accepted' });
    expect(saved).toEqual([]);
  });

  it('keeps an order to end that comes while the engine is asked for it, and gives up the start', async () => {
    const { job, saved } = jobIn({ kind: 'starting' });
    await job.endBy('because', async () => undefined);
    expect(job.cancelled.aborted).toBe(true);
    expect(job.state).toMatchObject({ kind: 'ending', cause: 'because', work: undefined });
    const ordered = job.endOrderedAt;
    expect(Math.abs(Date.now() - (ordered ?? 0))).toBeLessThan(60_000);
    job.madeWork(WORK);
    expect(job.state).toEqual({ kind: 'ending', cause: 'because', orderedAt: ordered, work: WORK });
    expect(saved).toEqual(['ending', 'ending']);
  });

  it('knows the cause while the order is still being sent, and goes on when it cannot be sent', async () => {
    const { job, saved } = jobIn({ kind: 'running', ...WORK });
    const sent = job.endBy('because', async () => {
      expect(job.endCause).toBe('because');
      throw new Error('away');
    });
    await expect(sent).rejects.toThrow('away');
    expect(job.state).toEqual({ kind: 'running', ...WORK });
    expect([job.cancelled.aborted, job.endCause, saved]).toEqual([false, undefined, []]);
  });

  it('does not come back to life when it ends while the order is being sent', async () => {
    const { job, saved } = jobIn({ kind: 'running', ...WORK });
    const sent = job.endBy('because', async () => {
      job.ended();
      throw new Error('away');
    });
    await expect(sent).rejects.toThrow('away');
    expect([job.state.kind, saved]).toEqual(['ended', []]);
  });

  it('is cancelled from the beginning when its end was ordered before a restart', () => {
    const { job } = jobIn({ kind: 'ending', cause: 'because', work: undefined });
    expect(job.cancelled.aborted).toBe(true);
  });

  it.each<[string, ContainerJobState, unknown]>([
    ['nothing, before the engine was asked', { kind: 'accepted' }, 'nothing'],
    ['perhaps something, while it was asked', { kind: 'starting' }, 'unknown'],
    ['what the handle says', { kind: 'running', ...WORK }, WORK],
    ['the same when it was ordered to end', { kind: 'ending', cause: '', work: WORK }, WORK],
  ])('leaves at the engine %s', (_, state, left) => {
    const { job } = jobIn(state);
    job.ended();
    expect(job.state).toMatchObject({ kind: 'ended', left });
    expect(job.isOver).toBe(true);
  });
});
