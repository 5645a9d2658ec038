/** Whether a text can be sent as the value of a header (RFC 9110, section 5.5): no line breaks, nothing beyond Latin-1. */
export function isHeaderValue(text: string): boolean {
  return /^[\t -~\u0080-\u00ff]*$/.test(text);
}
