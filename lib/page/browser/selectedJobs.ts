import type { AppState } from './appState.ts';
import type { Named } from './rowList.ts';
import { isOver } from './shown.ts';

interface SelectedJobs {
  readonly live: readonly Named[];
  readonly over: readonly Named[];
}

/** What is selected, as it stands now, without what is removed: jobs that go on, and jobs that have ended. */
export function selectedIn({ selected, rows }: AppState): SelectedJobs {
  const [live, over]: [Named[], Named[]] = [[], []];
  for (const job of selected.values()) {
    const row = rows.row(job.id);
    if (row?.isGone !== true) (isOver((row ?? job).state) ? over : live).push(row ?? job);
  }
  return { live, over };
}
