/** Marks at most: a bar has not more pixels. */
const MOST_MARKS = 300;

/** Where hits are, beside the scroll bar. */
export class LogMarks {
  readonly #element: HTMLElement;
  #shown = '';

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** @param lines the hits, of so many lines */
  draw(lines: readonly number[], total: number): void {
    const placeOf = (line: number) => Math.floor(((line - 1) / Math.max(1, total)) * MOST_MARKS);
    const places = [...new Set(lines.map(placeOf))];
    const shown = places.join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#element.replaceChildren(
      ...places.map((place) => {
        const mark = document.createElement('i');
        mark.style.top = `${(place / MOST_MARKS) * 100}%`;
        return mark;
      }),
    );
  }
}
