import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import type { AppState } from './appState.ts';
import { isCalled } from './pagePlace.ts';

/** So many pictures long the list may take to draw the row that gets the focus. */
const MOST_LOOKS = 60;

const isListSeen = () => document.querySelector('.list')?.checkVisibility() === true;

const hasNoFocus = () => {
  const active = document.activeElement;
  return active === null || active === document.body || !active.checkVisibility();
};

/**
 * Where the list makes room for a job, what had the focus is not seen any more: the heading of the job takes it. Once the job
 * is closed, its row gets it.
 * @param isKnown whether the heading is there
 */
export function usePanelFocus(
  app: AppState,
  id: string,
  heading: RefObject<HTMLElement>,
  isKnown: boolean,
): void {
  useLayoutEffect(() => {
    if (isKnown && !isListSeen() && hasNoFocus()) heading.current?.focus({ preventScroll: true });
  }, [isKnown]);
  useLayoutEffect(() => {
    let tookPlace = !isListSeen();
    const look = () => {
      tookPlace = !isListSeen();
    };
    window.addEventListener('resize', look);
    return () => {
      window.removeEventListener('resize', look);
      const active = document.activeElement;
      const isInside = active?.closest('.panel') != null;
      // Whoever closes it with the pointer uses no keys, and a row with the focus would keep new jobs from coming in.
      if (isInside && active?.matches(':focus-visible') === false) return;
      if (tookPlace || isInside) focusRowOf(app, id);
    };
  }, [app, id]);
}

/** Gives the row of a job the focus, unless something else gets it before the row is there. */
function focusRowOf(app: AppState, id: string): void {
  let looks = 0;
  const look = () => {
    looks += 1;
    if (app.place.view !== 'jobs' || looks > MOST_LOOKS || !hasNoFocus()) return;
    const row = app.rows.rows.find((one) => isCalled(one.id, id));
    const place = row && app.rows.placeOf(row.id);
    if (place !== undefined) app.scroll.bring(place);
    const link =
      row && document.querySelector<HTMLElement>(`.list tr[data-id="${CSS.escape(row.id)}"] a`);
    link?.focus({ preventScroll: true });
    if (link == null || document.activeElement !== link) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
