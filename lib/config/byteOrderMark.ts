/** A text without the mark that editors of Windows set before it (U+FEFF): it belongs to no JSON, and to no name. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
