import { BadRequestError } from '../../errors.ts';

/**
 * Splits a command line into its words, as a shell quotes them: blanks separate, a backslash takes the next character as it
 * is, '…' takes everything as it is, "…" too but for \" and \\. Nothing else is special: no $, no wildcards, no ; or |.
 *
 * As swarm.py (Python's shlex), and so unlike a shell: within "…" the backslash stays before $ and `, and before a
 * line's end it does not join lines.
 *
 * @throws BadRequestError for a quote that does not end, or a backslash at the end.
 */
export function splitIntoWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let rest = text; rest !== ''; ) {
    const [piece, kind] = nextPiece(rest);
    rest = rest.slice(piece.length);
    if (kind !== 'blank') word = (word ?? '') + unquote(piece, kind);
    if (word !== undefined && (kind === 'blank' || rest === '')) {
      words.push(word);
      word = undefined;
    }
  }
  return words;
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
