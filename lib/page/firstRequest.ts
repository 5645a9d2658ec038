/** What the page asks for first: with its document the browser is told, and need not wait for the script. */
export { FIRST_LIST } from './browser/firstList.ts';
