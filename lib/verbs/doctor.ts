import { padEnd } from '../terminal/cutText.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { UNICODE_SIGNS } from '../terminal/signs.ts';
import { fieldLine } from '../terminal/table.ts';
import { widthOf } from '../terminal/width.ts';
import { type Check, checkServer } from './doctorChecks.ts';
import { CannotError } from './failures.ts';
import { readWords, type Words } from './flagWords.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import type { Verb, VerbCall } from './verb.ts';
import { FAILED } from './verbExit.ts';

/** `pman doctor`: what is wrong with this set-up, a line each. It shows no secrets. */
export const doctor: Verb = {
  usage: ['[flags]'],
  examples: [['pman doctor', 'server, token, clock, disk, engines, limits, page, contexts']],
  flags: [{ name: 'json', help: 'the same for programs' }, ...COMMON_FLAGS],
  notes: ['It ends with 1 when something is wrong.'],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const opened = open(call, words);
    const checks = 'name' in opened ? [opened] : await checkServer(opened, call.env);
    const { out, signs } = call.streams;
    const style = 'name' in opened ? out.style('auto') : opened.style;
    if (words.switches.has('json')) out.line(JSON.stringify({ checks }));
    else {
      for (const check of checks) {
        const { name, state, text, hint } = check;
        if (!out.isTerminal) {
          out.line(fieldLine([state, name, text, hint ?? ''].map(oneLine)));
          continue;
        }
        const sign = { ok: style.green(signs.ok), failed: style.red(signs.failed), none: '-' }[
          state
        ];
        const told = `${padEnd(name, 9)} ${oneLine(text)}`;
        const next =
          hint === undefined ? '' : `${signs === UNICODE_SIGNS ? '→' : '->'} ${oneLine(hint)}`;
        const isOneLine = widthOf(told) + widthOf(next) + 4 <= out.columns();
        const between = next === '' || isOneLine ? '  ' : `\n${' '.repeat(12)}`;
        out.line(`${sign} ${told}${between}${style.dim(next)}`.trimEnd());
      }
    }
    return checks.some(({ state }) => state === 'failed') ? FAILED : 0;
  },
};

/** A session, or what is wrong with what says where the server is. */
function open(call: VerbCall, words: Words): Session | Check {
  try {
    return openSession(call, words);
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    const [hint] = error.lines;
    const check = { name: 'contexts', state: 'failed', text: error.message } as const;
    return hint === undefined ? check : { ...check, hint };
  }
}
