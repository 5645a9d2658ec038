import type { AppState } from './appState.ts';
import { ROW } from './drawnRows.ts';
import { isCalled } from './pagePlace.ts';

/** The part of the page that scrolls the list. */
const listFrame = () => document.querySelector<HTMLElement>('.list');

/** The job whose row has the focus, else the one that is open. */
export function chosenJob(app: AppState) {
  const focused = document.activeElement?.closest<HTMLElement>('tr[data-id]')?.dataset.id;
  const { id } = app.place;
  const { rows } = app.rows;
  if (focused !== undefined) return rows.find((row) => row.id === focused);
  return rows.find((row) => isCalled(row.id, id)) ?? app.shownJob;
}

let stopWaiting = () => {};

/** Gives a row of the list the focus; it may have to be loaded and drawn first. */
export function focusRow(app: AppState, to: 1 | -1 | 'first' | 'last'): boolean {
  const frame = listFrame();
  if (frame === null || app.rows.length === 0) return false;
  const chosen = chosenJob(app);
  const at = chosen === undefined ? undefined : app.rows.placeOf(chosen.id);
  const seen = Math.ceil(app.scroll.top / ROW);
  const place = () => {
    const last = app.rows.length - 1;
    if (to === 'first') return 0;
    if (to === 'last') return last;
    return Math.min(last, Math.max(0, (at ?? seen - 1) + to));
  };
  const focus = () => {
    const { rows, start } = app.rows;
    const row = rows[place() - start];
    const link = row && frame.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(row.id)}"] a`);
    link?.focus({ preventScroll: true });
    if (link != null) app.scroll.bring(place());
    return link != null;
  };
  stopWaiting();
  if (focus()) return true;
  app.scroll.bring(place());
  const look = () => void requestAnimationFrame(() => focus() && stopWaiting());
  stopWaiting = app.subscribe(look);
  requestAnimationFrame(look);
  return true;
}
