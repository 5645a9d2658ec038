import type { PmanClient } from '../../client/index.ts';
import type { Filter } from './pagePlace.ts';
import type { Named } from './rowList.ts';
import { queryOf } from './searchWords.ts';

/** As many as the server gives at once: names are short. */
const PAGE = 1000;

/**
 * The names of all jobs that fit a filter, also of those whose rows were never loaded.
 * @param now the time of the server; `isWanted`: asked between two requests
 * @returns undefined when that is no longer wanted
 * @throws PmanClientError as a request does
 */
export async function namesOf(
  client: Pick<PmanClient, 'jobPage'>,
  { filter, now }: { readonly filter: Filter; readonly now: number },
  isWanted: () => boolean,
): Promise<readonly Named[] | undefined> {
  const names: Named[] = [];
  const query = { ...queryOf(filter, now), limit: PAGE, fields: ['id', 'jid', 'state'] } as const;
  for (let cursor: string | undefined; ; ) {
    const page = await client.jobPage({ ...query, cursor });
    if (!isWanted()) return undefined;
    names.push(...page.jobs);
    if (page.next === null) return names;
    cursor = page.next;
  }
}
