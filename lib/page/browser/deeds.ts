import { useMemo } from 'preact/hooks';
import type { AppState } from './appState.ts';
import { isCalled, linkId } from './pagePlace.ts';
import type { Question } from './question.ts';
import type { Named } from './rowList.ts';
import { shortId } from './shown.ts';
import { useApp } from './useApp.ts';

/** So many requests go out at once. */
const AT_ONCE = 4;

/** What can be done with jobs: each asks first, and tells what came of it. */
export function useDeeds() {
  const app = useApp();
  return useMemo(() => deedsOf(app), [app]);
}

export function deedsOf(app: AppState) {
  const ask = (question: Omit<Question, 'names'>, jobs: readonly Named[]) =>
    app.ask({ ...question, names: jobs.map(({ id, jid }) => `${shortId(id)} ${jid ?? ''}`) });
  const count = (jobs: readonly Named[]) =>
    jobs.length === 1 ? 'this job' : `${jobs.length} jobs`;
  return {
    kill(jobs: readonly Named[]) {
      const text = 'It gets the signal TERM; what is left of it some seconds later gets KILL.';
      const act = () =>
        void each(app, 'killed', jobs, async ({ id }) => {
          await app.client.kill(id);
        });
      ask({ title: `Kill ${count(jobs)}?`, text, verb: `Kill ${jobs.length}`, act }, jobs);
    },
    remove(jobs: readonly Named[]) {
      const text = 'The record and all output are removed, for good.';
      const act = () =>
        void each(app, 'deleted', jobs, async ({ id }) => {
          await app.client.remove(id);
          const { view, id: open } = app.place;
          if (view === 'job' && isCalled(id, open)) {
            app.go({ view: 'jobs', id: undefined }, 'replace');
          }
        });
      ask({ title: `Delete ${count(jobs)}?`, text, verb: `Delete ${jobs.length}`, act }, jobs);
    },
    rerun(jobs: readonly Named[]) {
      const text = 'Each is sent again as it was.';
      const act = () => {
        const { view, id: open } = app.place;
        void each(app, 'sent again', jobs, async ({ id }) => {
          const made = await app.keysInDoubt.send(app.client, { of: id, job: {} });
          // Whoever has gone elsewhere meanwhile stays there.
          const isThere = app.place.view === view && app.place.id === open;
          if (jobs.length === 1 && isThere)
            app.go({ view: 'job', id: linkId(made.id), line: undefined });
        });
      };
      ask({ title: `Rerun ${count(jobs)}?`, text, verb: `Rerun ${jobs.length}`, act }, jobs);
    },
    async copy(text: string, what: string) {
      try {
        await copyText(text);
        app.say({ kind: 'done', text: `The ${what} is copied.` });
      } catch (error) {
        app.failed(`The ${what} cannot be copied`, error);
      }
    },
  };
}

/** Does something with each job, a few at once, and says how many it was done with. */
async function each(
  app: AppState,
  done: string,
  jobs: readonly Named[],
  act: (job: Named) => Promise<void>,
): Promise<void> {
  const left = jobs.values();
  const failed = new Set<string>();
  let failure: unknown;
  const work = async () => {
    for (const job of left) {
      try {
        await act(job);
      } catch (error) {
        failed.add(job.id);
        failure = error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // Those that failed stay selected, to be tried again without the others.
  const seenTo = new Set(jobs.map(({ id }) => id).filter((id) => !failed.has(id)));
  app.select([...app.selected.values()].filter(({ id }) => !seenTo.has(id)));
  const good = jobs.length - failed.size;
  if (failed.size > 0) app.failed(`${good} ${done}, ${failed.size} not`, failure);
  else app.say({ kind: 'done', text: `${jobs.length === 1 ? 'It is' : `${good} are`} ${done}.` });
}

/** Without TLS there is no clipboard for pages but on this host: then the old way. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (!isDone) throw new Error('the browser does not allow it');
}
