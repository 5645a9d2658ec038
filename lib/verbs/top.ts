import { CannotError } from './failures.ts';
import { readWords } from './flagWords.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import type { Verb } from './verb.ts';

/** `pman top`: jobs as they run, on the whole terminal. */
export const top: Verb = {
  usage: ['[flags]'],
  examples: [['pman top', 'q quits, ? shows the keys; the mouse selects text as ever']],
  flags: COMMON_FLAGS,
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const { out, input } = session.streams;
    if (!out.canRedraw || input.isTTY !== true) {
      throw new CannotError('top needs a terminal', ['pman ls -w goes on in a pipe, too']);
    }
    const { Top } = await import('./topRun.ts');
    const { fetchCounts, fetchTop } = await import('./topData.ts');
    const signal = AbortSignal.timeout(30_000);
    const [data, counts] = await Promise.all([
      fetchTop(session, false, signal),
      fetchCounts(session, signal),
    ]);
    return new Top(session, call, data, counts).run();
  },
};
