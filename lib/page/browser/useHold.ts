import type { RefObject } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { useApp } from './useApp.ts';

/** Whoever has not moved the pointer for so long does not point at anything, in milliseconds. */
const POINTING_MS = 2000;

/**
 * Keeps the rows of the list where they are while somebody needs them there. New jobs come in by themselves only at the top
 * of the list, when no row has the focus and no pointer moves over them.
 */
export function useHold(frame: RefObject<HTMLElement>) {
  const app = useApp();
  const tools = useMemo(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hold = () => {
      const box = frame.current;
      if (box === null) return;
      const hasFocus = box.contains(document.activeElement);
      app.hold(timer !== undefined || app.scroll.top > 0 || hasFocus);
    };
    const over = () => {
      clearTimeout(timer);
      timer = undefined;
      hold();
    };
    const point = Object.assign(
      () => {
        clearTimeout(timer);
        timer = setTimeout(over, POINTING_MS);
        hold();
      },
      { over },
    );
    return { hold, point };
  }, [app, frame]);
  useEffect(
    () => () => {
      tools.point.over();
      app.hold(false);
    },
    [app, tools],
  );
  return tools;
}
