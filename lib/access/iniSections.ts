/** A key of an ini file with its value. */
export interface IniEntry {
  readonly key: string;
  /** Of several lines when those after the first are indented deeper than the key. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line behind the last one of it. */
  readonly end: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
  /** Lines that are neither a key with a value nor the rest of one. */
  readonly unreadable: readonly number[];
  /** The line behind the last one of it that says something. */
  readonly end: number;
}

/**
 * Reads an ini file as Python's configparser does, and not as the `ini` package: a value goes to the end of its line,
 * `#`, `;` and quotes included; a colon separates as well as `=`; a line that is indented deeper than its key goes on
 * with the value. The package cuts `a#b` to `a`, makes `true` of a line it does not understand, splits names at dots
 * and loses keys such as `__proto__`. A section or a key that comes twice is given twice. What stands before the first
 * section is nobody's.
 */
export function iniSections(content: string): readonly IniSection[] {
  const sections: Array<{
    name: string;
    line: number;
    entries: IniEntry[];
    unreadable: number[];
    end: number;
  }> = [];
  /** How far the key above is indented; undefined behind a section's name. */
  let keyIndent: number | undefined;
  for (const [i, raw] of content.split('\n').entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
    const indent = raw.search(/\S/);
    const section = sections.at(-1);
    if (keyIndent !== undefined && indent > keyIndent) {
      if (section !== undefined) section.end = i + 2;
      const above = section?.entries.pop();
      if (above) section?.entries.push({ ...above, value: `${above.value}\n${text}`, end: i + 2 });
      continue;
    }
    keyIndent = indent;
    const header = /^\[([^\]]+)\]/.exec(text);
    if (header !== null) {
      const line = i + 1;
      sections.push({ name: header[1] ?? '', line, entries: [], unreadable: [], end: line + 1 });
      keyIndent = undefined;
      continue;
    }
    if (section !== undefined) section.end = i + 2;
    const [, key, value] = /^([^=:]+)[=:](.*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) section?.unreadable.push(i + 1);
    else section?.entries.push({ key: key.trim(), value: value.trim(), line: i + 1, end: i + 2 });
  }
  return sections;
}
