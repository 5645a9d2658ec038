/** The colours that can be chosen in place of the system's. */
export const THEMES = ['light', 'dark'] as const;

/**
 * The cookie that keeps the choice. The document comes with its colours then; what a script can read by itself (Web
 * Storage) holds it up until the browser has opened its files.
 */
export const THEME_COOKIE = 'pman_theme';
