import type { AppState } from './appState.ts';
import { deedsOf } from './deeds.ts';
import { chosenJob, focusRow } from './listKeys.ts';
import { areKeysOn, isTypedInto } from './oneLetterKeys.ts';
import type { Named } from './rowList.ts';
import { selectedIn } from './selectedJobs.ts';
import { GROUPS, isOver } from './shown.ts';

/** The keys of the page. None needs Ctrl or Alt; none works while somebody types. */
export const KEY_MAP: readonly (readonly [string, string])[] = [
  ['j k', 'next and previous job'],
  ['Enter', 'open the job'],
  ['Esc', 'back'],
  ['/', 'search jobs; with a log open, find in it'],
  ['g g, G', 'first and last job'],
  ['Home End', 'the ends of the list; with a job open, of its log'],
  ['x', 'select the job'],
  ['K', 'kill the job, or all that are selected (asks)'],
  ['R', 'rerun it, or all that are selected (asks)'],
  ['y', 'copy the id; in a log, the lines that are marked'],
  ['1 – 6', 'running, waiting, failed, lost, ok, killed'],
  ['n N', 'in a log: next and previous hit'],
  ['e E', 'in a log: next and previous line of stderr'],
  ['F w t', 'in a log: follow, wrap, times'],
  ['?', 'this map'],
];

interface KeyOptions {
  readonly app: AppState;
  readonly onHelp: () => void;
}

/** Listens to the keys of the page. @returns what ends that */
export function listenToKeys({ app, onHelp }: KeyOptions): () => void {
  let hadG = false;
  const act = (event: KeyboardEvent) => {
    const { key, target } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (isTypedInto(target) || document.querySelector('dialog[open]') !== null) return;
    if (key === 'Escape') return back(app);
    const isInList = target instanceof Element && target.closest('.list') !== null;
    // With a job open they are its log's.
    const isFree = target === document.body && app.place.view === 'jobs';
    if ((isFree || isInList) && app.scroll.key(key)) return event.preventDefault();
    if (!areKeysOn()) return;
    // In the log the keys are the log's.
    const isInLog = target instanceof Element && target.closest('[role=log], .logView') !== null;
    const isSecondG = key === 'g' && hadG;
    hadG = key === 'g' && !isSecondG;
    if (isInLog && key !== '?') return;
    if (obey(app, key, isSecondG, onHelp)) event.preventDefault();
  };
  document.addEventListener('keydown', act);
  return () => document.removeEventListener('keydown', act);
}

/** Keys that mean the same wherever one is in the page. */
const EVERYWHERE = new Set(['/', '?']);

function obey(app: AppState, key: string, isSecondG: boolean, onHelp: () => void): boolean {
  const { view } = app.place;
  const hasJobs = view === 'jobs' || view === 'job';
  if (!hasJobs && !EVERYWHERE.has(key)) return false;
  const group = GROUPS[Number(key) - 1];
  if (group !== undefined) {
    // A narrow window has no room for it beside a job.
    if (app.scroll.isHidden) return false;
    const { filter } = app.place;
    const isOn = filter.states.length === 1 && filter.states[0] === group.name;
    app.go({ filter: { ...filter, states: isOn ? [] : [group.name] } });
    return true;
  }
  const deeds = deedsOf(app);
  const job = chosenJob(app);
  // With a job open the keys are its own.
  const hasSelection = app.selected.size > 0 && view === 'jobs';
  const act = (jobs: readonly Named[], deed: (jobs: readonly Named[]) => void) => {
    if (jobs.length === 0 || !app.canAct) return false;
    deed(jobs);
    return true;
  };
  switch (key) {
    case 'j':
      return focusRow(app, 1);
    case 'k':
      return focusRow(app, -1);
    case 'g':
      return isSecondG && focusRow(app, 'first');
    case 'G':
      return focusRow(app, 'last');
    case '/':
      // The log's, as are n and N.
      if (document.querySelector('.logView') !== null) return false;
      document.getElementById('search')?.focus();
      return true;
    case '?':
      onHelp();
      return true;
    case 'x':
      if (job === undefined) return false;
      app.toggle(job);
      return true;
    case 'y':
      if (areLinesMeant(app)) return false;
      if (job !== undefined) void deeds.copy(job.id, 'id');
      return job !== undefined;
    case 'K':
      if (hasSelection) return act(selectedIn(app).live, deeds.kill);
      if (job === undefined || isOver(job.state) || !app.canAct) return false;
      deeds.kill([job]);
      return true;
    case 'R':
      if (hasSelection) {
        const { live, over } = selectedIn(app);
        return act([...live, ...over], deeds.rerun);
      }
      if (job === undefined || !app.canAct) return false;
      // The form is that of the job which is open; a row of the list may be of another.
      if (job.id === app.shownJob?.id) document.dispatchEvent(new Event('pman-rerun'));
      else deeds.rerun([job]);
      return true;
    default:
      return false;
  }
}

/** Whether the log copies the lines that are marked in it; a row of the list that has the focus goes first. */
function areLinesMeant({ place }: AppState): boolean {
  if (place.line === undefined || document.querySelector('.logView') === null) return false;
  return document.activeElement?.closest('.list') == null;
}

function back(app: AppState): void {
  if (app.place.view !== 'jobs') app.go({ view: 'jobs', id: undefined, line: undefined });
  else if (app.selected.size > 0) app.select([]);
  else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
