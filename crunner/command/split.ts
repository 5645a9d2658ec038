import { forEachChild, type ParsedScript, parse, type Statement, type SyntaxNode } from 'unbash';
import { isForeignToSh } from './splitDialect.ts';

/**
 * Cuts a command line at its top-level `;`, as the shell's grammar sees them: not those in quotes,
 * substitutions, compound commands, functions, comments or here-documents. Newlines and `&` do not
 * cut. The parts keep their blanks, and joined with `;` they give the line back; after a final `;`
 * the last part is empty. A line that the grammar refuses, or that `/bin/sh` may read otherwise than
 * the parser does, comes back whole: the shell then says what is wrong with it.
 *
 * Importing this file loads the parser (some 25 ms): import it only for a line with a `;`.
 */
export function splitIntoParts(line: string): readonly string[] {
  if (!line.includes(';')) return [line];
  const script = parseWhole(line);
  if (script === undefined) return [line];
  const held = hereDocSpans(script, line);
  return held === undefined ? [line] : cutAt(line, cutPoints(script.commands, line, held));
}

/**
 * What the parser and the shells are known to see apart: a NUL ends dash's input, `$[` is arithmetic
 * for bash alone, and the shells join a token that a line continuation cuts in two.
 */
const UNRELIABLE = /\0|\$\[|[^\s\\](?:\\\n)+[^\s\\]/;

/** A stretch of the line in which no cut is possible. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** The syntax tree, or undefined when the line is not a program or is nested too deep to tell. */
function parseWhole(line: string): ParsedScript | undefined {
  if (UNRELIABLE.test(line)) return undefined;
  const script = parse(line);
  return script.errors !== undefined && script.errors.length > 0 ? undefined : script;
}

/**
 * From each command with a here-document to the end of that document's body, in the order of the
 * line; undefined when something in the line is not what `/bin/sh` would see.
 */
function hereDocSpans(script: ParsedScript, line: string): readonly Span[] | undefined {
  const spans: Span[] = [];
  const pending: { readonly node: SyntaxNode; readonly source: string; readonly top: boolean }[] =
    [];
  for (const statement of script.commands) {
    pending.push({ node: statement, source: line, top: true });
    let to = statement.end;
    // An own stack, not recursion: a line may be nested as deep as the parser allows.
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { node, source, top } = next;
      if (isForeignToSh(node, source)) return undefined;
      if (node.type === 'HereDoc' && top) to = Math.max(to, node.closing?.end ?? line.length);
      forEachChild(node, (child) => {
        const nested = child.type === 'Script';
        pending.push({
          node: child,
          source: (nested ? child.source : undefined) ?? source,
          top: top && !nested,
        });
      });
    }
    if (to > statement.end) spans.push({ from: statement.pos, to });
  }
  return spans;
}

/** The offsets of the `;` that follow a top-level command directly. */
function cutPoints(
  statements: readonly Statement[],
  line: string,
  held: readonly Span[],
): readonly number[] {
  const cuts: number[] = [];
  let heldTo = 0;
  let nextSpan = 0;
  for (const { pos, end } of statements) {
    for (let span = held[nextSpan]; span !== undefined && span.from <= pos; span = held[nextSpan]) {
      heldTo = Math.max(heldTo, span.to);
      nextSpan += 1;
    }
    let at = end;
    while (line[at] === ' ' || line[at] === '\t') at += 1;
    if (line[at] === ';' && at >= heldTo) cuts.push(at);
  }
  return cuts;
}

function cutAt(line: string, cuts: readonly number[]): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const cut of cuts) {
    parts.push(line.slice(from, cut));
    from = cut + 1;
  }
  parts.push(line.slice(from));
  return parts;
}
