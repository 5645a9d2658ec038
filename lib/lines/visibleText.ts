/** Orders to a terminal (ECMA-48, 5.4 and 5.6): those with parameters, those with a text, and those of two characters. */
const ORDERS = new RegExp(
  [
    '\\u001b\\[[0-?]*[ -/]*[@-~]',
    '\\u001b[\\]PX^_][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?',
    '\\u001b[ -/]*[0-~]?',
  ].join('|'),
  'g',
);

/** A text without the orders to a terminal that are in it. */
export function visibleText(text: string): string {
  return text.replace(ORDERS, '');
}
