/** The colours: as the system has them, light, or dark. */
export type Theme = 'as the system' | 'light' | 'dark';

const THEMES: readonly Theme[] = ['as the system', 'light', 'dark'];
const KEY = 'pman theme';

/** What was chosen in this browser. */
export function themeNow(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((one) => one === kept) ?? 'as the system';
}

/** Takes the colours that were chosen. */
export function applyTheme(theme = themeNow()): void {
  if (theme === 'as the system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Goes on to the next colours, and keeps that. */
export function nextTheme(): Theme {
  const next = THEMES[(THEMES.indexOf(themeNow()) + 1) % THEMES.length] ?? 'as the system';
  localStorage.setItem(KEY, next);
  applyTheme(next);
  return next;
}
