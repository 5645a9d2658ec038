/**
 * What the page asks for first: with its document the browser is told, and need not wait for the script. And how it keeps
 * which colours the document has.
 */
export { FIRST_LIST } from './browser/firstList.ts';
export { THEME_COOKIE, THEMES } from './browser/themeCookie.ts';
