import type { Output } from './child.ts';
import { eventually } from './eventually.ts';

/**
 * Resolves when a program has written the words to its stderr: what it has done may be seen elsewhere before that comes
 * through the pipe.
 */
export async function said(
  program: { readonly output: Output },
  words: string | RegExp,
): Promise<void> {
  const isThere = () => {
    const { stderr } = program.output;
    return typeof words === 'string' ? stderr.includes(words) : words.test(stderr);
  };
  await eventually(isThere, { message: `the words ${words}` }).catch((error: unknown) => {
    throw new Error(`it says no ${words}, but: ${program.output.stderr}`, { cause: error });
  });
}
