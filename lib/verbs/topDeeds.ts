import type { Job } from '../client/index.ts';
import { messageOf } from '../errors.ts';
import { shortId } from './jobText.ts';
import { readKeys } from './readKeys.ts';
import type { Session } from './session.ts';
import type { VerbCall } from './verb.ts';

/** Something that is done when the answer is yes. */
export interface Question {
  readonly text: string;
  /** @returns what came of it, in words */
  readonly yes: () => Promise<string>;
}

/** The question that `K` or `R` asks. */
export function questionOf({ client }: Session, kind: 'kill' | 'rerun', job: Job): Question {
  const id = shortId(job.id);
  if (kind === 'rerun') {
    return {
      text: `run ${id} again? [y/N]`,
      yes: async () => `${id} runs again as ${shortId((await client.rerun(job)).id)}`,
    };
  }
  return {
    text: `kill ${id}? [y/N]`,
    yes: async () => {
      await client.kill(job);
      return `${id} was sent TERM`;
    },
  };
}

/** What `pman logs -f` does, in place of what is shown now. */
export async function followLogs(call: VerbCall, job: Job): Promise<number> {
  return (await import('./showLogs.ts')).logs.run(withWords(call, ['-f', job.id]));
}

/** All about a job, on the usual screen, until a key is pressed or the signal is given. */
export async function showAside(
  { streams, style }: Session,
  call: VerbCall,
  job: Job,
  signal: AbortSignal,
): Promise<void> {
  const { out, err, input } = streams;
  try {
    await (await import('./show.ts')).show.run(withWords(call, [job.id]));
  } catch (error) {
    err.line(`pman: ${messageOf(error)}`);
  }
  out.line(style.dim('any key goes back'));
  await new Promise<void>((resolve) => {
    const stop = readKeys(input, done);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

const withWords = (call: VerbCall, words: readonly string[]): VerbCall => ({
  ...call,
  argv: [...call.argv, ...words],
});
