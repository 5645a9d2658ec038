import type { ApiContext } from './apiRoute.ts';
import { jobPage } from './jobPage.ts';
import { listQuerySchema } from './listSchemas.ts';

/** With so many pages the code that makes one has got as fast as a few more would make it. */
const PAGES = 3;

/**
 * Makes the newest pages of the list for nobody, in turns with other work. A program's first page takes several times as long as
 * its tenth, and would be the one that somebody waits for; the jobs that most look at first are in memory then.
 */
export async function rehearseLists(
  context: Pick<ApiContext, 'database' | 'jobs'>,
  signal: AbortSignal,
): Promise<void> {
  let cursor: string | undefined;
  for (let page = 0; page < PAGES && !signal.aborted; page += 1) {
    const { text } = await jobPage(context, listQuerySchema.parse({ cursor }));
    const { next } = JSON.parse(text) as { readonly next: string | null };
    if (next === null) return;
    cursor = next;
  }
}
