import { THEME_COOKIE, THEMES } from './themeCookie.ts';

/** The colours: as the system has them, light, or dark. */
export type Theme = 'as the system' | (typeof THEMES)[number];

const ALL: readonly Theme[] = ['as the system', ...THEMES];
const YEAR_SECONDS = 31_536_000;

/** What was chosen in this browser: the server has written it into the document. */
export function themeNow(): Theme {
  const { theme } = document.documentElement.dataset;
  return ALL.find((one) => one === theme) ?? 'as the system';
}

/** Goes on to the next colours, and keeps that. */
export function nextTheme(): Theme {
  const next = ALL[(ALL.indexOf(themeNow()) + 1) % ALL.length] ?? 'as the system';
  const isChosen = next !== 'as the system';
  if (isChosen) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  const kept = [`${THEME_COOKIE}=${next}`, 'Path=/', 'SameSite=Strict'];
  if (window.location.protocol === 'https:') kept.push('Secure');
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is there on HTTPS alone
  document.cookie = [...kept, `Max-Age=${isChosen ? YEAR_SECONDS : 0}`].join('; ');
  return next;
}
