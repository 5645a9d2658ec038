/** What the list shows of a job. */
export const FIELDS = [
  ...(['id', 'jid', 'auid', 'command', 'state', 'exitCode', 'place', 'reason'] as const),
  ...(['labels', 'backend', 'acceptedAt', 'startedAt', 'endedAt'] as const),
] as const;

/** So many jobs are asked for at first. */
export const FIRST_PAGE = 100;

/** What the page asks for first where its address asks for nothing: the newest jobs. */
export const FIRST_LIST = `/api/v2/jobs?${new URLSearchParams({
  ...{ limit: String(FIRST_PAGE), counts: '1' },
  fields: FIELDS.join(),
})}`;
