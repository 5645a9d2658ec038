import { BadRequestError } from '../../errors.ts';

/**
 * Splits a command line into its words, as a shell quotes them: blanks separate, a backslash takes the next character as it
 * is, '…' takes everything as it is, "…" too but for \" and \\. Nothing else is special: no $, no wildcards, no ; or |.
 *
 * As swarm.py (Python's shlex), and so unlike a shell: within "…" the backslash stays before $ and `, and before a
 * line's end it does not join lines.
 *
 * @throws BadRequestError for a quote that does not end, a backslash at the end, or a word that no program can be given
 */
export function splitIntoWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let rest = text; rest !== ''; ) {
    const [piece, kind] = nextPiece(rest);
    rest = rest.slice(piece.length);
    if (kind !== 'blank') word = (word ?? '') + unquote(piece, kind);
    if (word !== undefined && (kind === 'blank' || rest === '')) {
      requireArgument(word);
      words.push(word);
      word = undefined;
    }
  }
  return words;
}

/** Linux gives a program no word of 128 KiB, its final NUL included (execve(2), MAX_ARG_STRLEN). */
const MAX_WORD_BYTES = 128 * 1024 - 1;

function requireArgument(word: string): void {
  if (word.length * 3 <= MAX_WORD_BYTES || Buffer.byteLength(word) <= MAX_WORD_BYTES) return;
  throw new BadRequestError(
    `the command has a word of more than 128 KiB: ${JSON.stringify(word.slice(0, 40))}…`,
    { hint: 'put long data into a file that the container gets' },
  );
}

const pieces = [
  ['blank', /^[ \t\r\n]+/],
  ['plain', /^[^ \t\r\n'"\\]+/],
  ['single', /^'[^']*'/],
  ['double', /^"(?:[^"\\]|\\.)*"/s],
  ['escaped', /^\\./s],
] as const;
type Kind = (typeof pieces)[number][0];

function nextPiece(rest: string): readonly [string, Kind] {
  for (const [kind, pattern] of pieces) {
    const piece = pattern.exec(rest)?.[0];
    if (piece !== undefined) return [piece, kind];
  }
  const reason = rest.startsWith('\\') ? 'it ends in a backslash' : 'a quote is not closed';
  throw new BadRequestError(`cannot split the command into words: ${reason}`);
}

function unquote(piece: string, kind: Kind): string {
  switch (kind) {
    case 'single':
      return piece.slice(1, -1);
    case 'double':
      return piece.slice(1, -1).replace(/\\(["\\])/g, '$1');
    case 'escaped':
      return piece.slice(1);
    case 'plain':
    case 'blank':
      return piece;
  }
}

/** Where a container finds what it is to read. */
export const INPUT_FOLDER = '/.pman';
export const INPUT_NAME = 'stdin';

/**
 * The same command with the file of its input as its standard input: the shell of the image opens that, and becomes the
 * command.
 */
export function readingInput(words: readonly string[]): string[] {
  return ['/bin/sh', '-c', 'exec "$@" <"$0"', `${INPUT_FOLDER}/${INPUT_NAME}`, ...words];
}
