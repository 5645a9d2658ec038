import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { craftArchive } from '../../helpers/archive.ts';

export type Program = 'pman' | 'pfioh';

/** Folders of a fuzz run that requests name. */
export interface Places {
  /** What pfioh may reach, and what pman may export to. */
  readonly store: string;
  /** What nobody may reach, though the system would let them. */
  readonly outside: string;
}

/** A valid request, in the parts that mutations work on. */
export interface SeedRequest {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  /** Lines of the head after the first, without a length. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const CORPUS = join(import.meta.dirname, '..', 'corpus');

const archive = craftArchive([
  { name: 'src/a.txt', content: 'hello' },
  { name: 'src/sub/' },
  { name: 'src/sub/link', content: '../a.txt', mode: 0o120777 },
]);

/**
 * The valid requests of `tests/attack/corpus/`: a head, an empty line and a body, with `{{store}}`, `{{outside}}` and
 * `{{zip}}` where a place or an archive belongs.
 */
export function readCorpus(program: Program, places: Places): readonly SeedRequest[] {
  const folder = join(CORPUS, program);
  return readdirSync(folder)
    .sort()
    .map((file) => parse(file.replace(/\.http$/, ''), readFileSync(join(folder, file)), places));
}

function parse(name: string, file: Buffer, { store, outside }: Places): SeedRequest {
  const text = file.toString('latin1');
  const end = text.indexOf('\n\n');
  const fill = (part: string) =>
    part
      .replaceAll('{{store}}', store)
      .replaceAll('{{outside}}', outside)
      .replaceAll('%7B%7Bstore%7D%7D', encodeURIComponent(store));
  const [first = '', ...headers] = fill(text.slice(0, end)).split('\n');
  const [method = '', target = ''] = first.split(' ');
  const isForm = /multipart/.test(text.slice(0, end));
  const raw = fill(text.slice(end + 2));
  const body = (isForm ? raw.replaceAll('\n', '\r\n') : raw).replaceAll(
    '{{zip}}',
    archive.toString('latin1'),
  );
  return { name, method, target, headers, body: Buffer.from(body, 'latin1') };
}
