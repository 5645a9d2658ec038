import type { Command, HereDoc, Pipeline, Redirect, Statement, SyntaxNode } from 'unbash';

/**
 * Whether `/bin/sh` may read this node otherwise than the parser does. The parser's language is
 * bash; where dash refuses the text, or finds the end of a quote or an expansion in another place, a
 * `;` that looks free may not be. `source` is the text the node's positions point into.
 */
export function isForeignToSh(node: SyntaxNode, source: string): boolean {
  switch (node.type) {
    case 'ArithmeticFor':
    case 'ArithmeticCommand': // for dash nested subshells, and `((a<<b))` a here-document
    case 'ArrayValue':
    case 'Coproc':
    case 'ExtendedGlob':
    case 'FileDescriptorVariable':
    case 'HereString':
    case 'ProcessSubstitution':
    case 'Select':
    case 'Unknown': // an operator of `${…}` that bash itself does not know
      return true;
    case 'Script':
      return 'errors' in node && node.errors !== undefined && node.errors.length > 0;
    case 'Statement':
      return isForeignEnd(node, source);
    case 'Command':
      return hasStrayText(node, source);
    case 'Function': // no `function` keyword, and a plain name
      return !/^[A-Za-z_]\w*\s*\(/.test(source.slice(node.pos, node.body.pos));
    case 'For': // bash also takes braces for do and done, and any word for the name
      return !(source.endsWith('done', node.end) && /^[A-Za-z_]\w*$/.test(node.name.text));
    case 'While':
      return !source.endsWith('done', node.end);
    case 'Redirect':
      return isForeignRedirect(node, source);
    case 'CaseItem':
      return node.terminator === ';&' || node.terminator === ';;&';
    case 'TestCommand': // dash sees a command named `[[`: harmless without operators
      return /[()<>&|]/.test(source.slice(node.pos, node.end));
    case 'Pipeline':
      return isForeignPipeline(node);
    case 'AnsiCQuoted': // dash ends $'a\'b' at the second quote
      return node.text.includes("\\'");
    case 'ParameterExpansion': // whether ' quotes inside "${…}" differs from shell to shell
      return node.text.includes("'") || !node.text.endsWith('}');
    case 'ArithmeticExpansion':
      return node.expression === undefined || !/^\$\(\(.*\)\)$/s.test(node.text);
    case 'CommandExpansion':
    case 'ArithmeticCommandExpansion':
      return node.script === undefined || !/^(`.*`|\$\((?!\().*\))$/s.test(node.text);
    case 'HereDoc':
      return isForeignHereDoc(node);
    case 'AndOr':
    case 'ArithmeticBinary':
    case 'ArithmeticGroup':
    case 'ArithmeticTernary':
    case 'ArithmeticUnary':
    case 'ArithmeticWord':
    case 'Assignment':
    case 'BraceExpansion':
    case 'BraceGroup':
    case 'Case':
    case 'CaseModification':
    case 'CompoundList':
    case 'Default':
    case 'DoubleQuoted':
    case 'Elif':
    case 'FileDescriptor':
    case 'Glob':
    case 'HereDocBody':
    case 'HereDocDelimiter':
    case 'If':
    case 'Literal':
    case 'LocaleString':
    case 'Names':
    case 'Negation':
    case 'Redirected':
    case 'Remove':
    case 'Replace':
    case 'SimpleExpansion':
    case 'SingleQuoted':
    case 'Slice':
    case 'Subshell':
    case 'TestBinary':
    case 'TestGroup':
    case 'TestLogical':
    case 'TestNot':
    case 'TestUnary':
    case 'Time':
    case 'Transform':
    case 'Word':
      return false;
  }
}

/** dash knows neither `|&` nor a second `!`, and `time` is a plain command to it. */
function isForeignPipeline({ operators, prefixes, commands }: Pipeline): boolean {
  if (operators.includes('|&') || prefixes.length > 1 || commands.length === 0) return true;
  return prefixes[0]?.type === 'Time' && commands[0]?.type !== 'Command';
}

/** Bodies that never end, and delimiters with expansions in them, are read in different ways. */
function isForeignHereDoc({ closing, delimiter }: HereDoc): boolean {
  return closing === undefined || delimiter === undefined || /[$`\n]/.test(delimiter.text);
}

/** `&>` is `&` and `>` to dash, and `2>2>f` lacks a file name. */
function isForeignRedirect({ operator, target, end }: Redirect, source: string): boolean {
  if (operator.startsWith('&') || target === undefined) return true;
  return /^\d+$/.test(target.text) && /[<>]/.test(source[end] ?? '');
}

/** The parser steps over a `(` that stands where none may: text that belongs to no word shows it. */
function hasStrayText({ prefix, name, suffix }: Command, source: string): boolean {
  const words = name === undefined ? [...prefix, ...suffix] : [...prefix, name, ...suffix];
  let end = words[0]?.pos ?? 0;
  for (const word of words) {
    if (word.pos > end && afterBlanks(source, end) < word.pos) return true;
    end = word.end;
  }
  return source[afterBlanks(source, end)] === '(';
}

/** The parser forgives a `;` too many inside a compound command; `;;` ends a branch of `case`. */
function isForeignEnd({ end, background }: Statement, source: string): boolean {
  const at = afterBlanks(source, end);
  if (source[at] !== ';' || source[at + 1] === ';') return false;
  if (background) return true;
  const next = afterBlanks(source, at + 1);
  return source[next] === ';' && source[next + 1] !== ';';
}

/** The offset of the first character at or after `at` that is neither blank nor a line continuation. */
function afterBlanks(source: string, at: number): number {
  let next = at;
  for (;;) {
    if (source[next] === ' ' || source[next] === '\t') next += 1;
    else if (source.startsWith('\\\n', next)) next += 2;
    else return next;
  }
}
