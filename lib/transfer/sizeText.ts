/** A number with a comma between thousands, as the reports show sizes. */
export function sizeText(bytes: number): string {
  return String(bytes).replace(/\B(?=(\d{3})+$)/g, ',');
}
