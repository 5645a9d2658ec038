/** What a shell alone can do, as the first word of a line: no image has such a program. */
const BUILTINS = new Set(
  '. : ! { cd case eval exec exit export for if readonly set shift trap ulimit umask unset until wait while'.split(
    ' ',
  ),
);

/** Where it stands outside of quotes, a shell takes it for more than itself. */
const SPECIAL = /[;&|<>()$`*?[\n]/;

/**
 * Whether a line says something else to a shell than its words do, as quotes divide them: variables, pipes, redirections,
 * patterns, several commands, or one of the shell's own.
 */
export function needsShell(line: string): boolean {
  const [first = ''] = line.trim().split(/\s+/);
  if (BUILTINS.has(first) || /^\w+=/.test(first)) return true;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = '';
    } else if (char === '\\') {
      at += 1; // the next one is taken as it is
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else if (char === '$' || char === '`') return true;
    } else if (char === "'" || char === '"') {
      quote = char;
    } else if (SPECIAL.test(char)) {
      return true;
    } else if ((char === '~' || char === '#') && !/\S/.test(line.charAt(at - 1))) {
      return true; // at the beginning of a word: a home, a comment
    }
  }
  return false;
}
