import type { Live } from './live.ts';

/** Behind a hidden tab nobody looks: after this long it lets go of its connection. */
const HIDDEN_MS = 30_000;

/**
 * Lets go of the connection when the tab has been hidden for long, or is closed or left, and begins anew when it is seen
 * again.
 */
export function restWhileHidden(
  window: Window,
  live: Pick<Live, 'pause' | 'start' | 'contact'>,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isResting = false;
  const { document } = window;
  const rest = () => {
    isResting = true;
    live.pause();
  };
  const wake = () => {
    if (!isResting) return;
    isResting = false;
    if (live.contact.kind !== 'token') live.start();
  };
  // What is left may come back as it was.
  window.addEventListener('pagehide', rest);
  window.addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') {
      timer = setTimeout(rest, HIDDEN_MS);
    } else wake();
  });
}
