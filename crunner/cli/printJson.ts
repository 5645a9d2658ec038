import type { EntryValue, JobEntry } from './jobEntry.ts';

/** The job dictionary as one line of JSON, as Python's `json.dumps` writes it; in pieces. */
export async function* printJson(jobs: readonly JobEntry[]): AsyncGenerator<string, void, void> {
  yield '{';
  for (const [index, job] of jobs.entries()) {
    yield `${index === 0 ? '' : ', '}"${index}": {`;
    let between = '';
    for (const [key, value] of job) {
      yield `${between}"${key}": `;
      yield* valueJson(value);
      between = ', ';
    }
    yield '}';
  }
  yield '}\n';
}

async function* valueJson(value: EntryValue): AsyncGenerator<string, void, void> {
  if (typeof value === 'string') yield `"${escaped(value)}"`;
  else if (typeof value !== 'object') yield String(value);
  // The processor's name, which Linux does not tell, is the sixth.
  else if ('uname' in value)
    yield `[${value.uname.map(([, text]) => `"${escaped(text)}", `).join('')}""]`;
  else {
    yield '"';
    for await (const text of value.pieces()) yield escaped(text);
    yield '"';
  }
}

/** Piece by piece it comes to the same: every UTF-16 unit is written by itself. */
function escaped(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, (unit) =>
      unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
