import { jobCounts } from './jobCounts.ts';
import { jobPage, type Records } from './jobPage.ts';
import { listQuerySchema } from './listSchemas.ts';

/** With so many pages the code that makes one has got as fast as a few more would make it. */
const PAGES = 3;

/**
 * Makes a list, and the newest pages of whole jobs, for nobody, in turns with other work. A program's first page takes several
 * times as long as its tenth, and would be the one that somebody waits for; the jobs that most look at first are in memory then.
 * @param list the list that is asked for first as a rule: a target with a query
 */
export async function rehearseLists(
  records: Records,
  list: string,
  signal: AbortSignal,
): Promise<void> {
  const [, text] = list.split('?');
  const query = listQuerySchema.parse(Object.fromEntries(new URLSearchParams(text)));
  await jobCounts(records, query);
  await jobPage(records, query);
  let cursor: string | undefined;
  for (let page = 0; page < PAGES && !signal.aborted; page += 1) {
    const made = await jobPage(records, listQuerySchema.parse({ cursor }));
    const { next } = JSON.parse(made.text) as { readonly next: string | null };
    if (next === null) return;
    cursor = next;
  }
}
