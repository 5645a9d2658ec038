import type { HereDoc, Pipeline, SyntaxNode } from 'unbash';

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
    case 'Function': // no `function` keyword, and a plain name
      return !/^[A-Za-z_]\w*\s*\(/.test(source.slice(node.pos, node.body.pos));
    case 'For': // bash also takes braces for do and done, and any word for the name
      return !(source.endsWith('done', node.end) && /^[A-Za-z_]\w*$/.test(node.name.text));
    case 'While':
      return !source.endsWith('done', node.end);
    case 'CaseItem':
      return node.terminator === ';&' || node.terminator === ';;&';
    case 'TestCommand': // dash sees a command named `[[`: harmless without parentheses
      return source.slice(node.pos, node.end).includes('(');
    case 'Pipeline':
      return isForeignPipeline(node);
    case 'AnsiCQuoted': // dash ends $'a\'b' at the second quote
      return node.text.includes("\\'");
    case 'ParameterExpansion': // whether ' quotes inside "${…}" differs from shell to shell
      return node.text.includes("'");
    case 'ArithmeticExpansion':
      return node.expression === undefined || !node.text.startsWith('$((');
    case 'CommandExpansion':
    case 'ArithmeticCommandExpansion':
      return node.script === undefined || /^\$(\{|\(\()/.test(node.text);
    case 'HereDoc':
      return isForeignHereDoc(node);
    default:
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
