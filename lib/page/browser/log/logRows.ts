import { makeRow, type RowContent } from './logRow.ts';

/**
 * The rows that are in the page. A row that stays is not touched, so that what is selected in it stays selected; others
 * come and go.
 */
export class LogRows {
  readonly #rows = new Map<
    number,
    { readonly element: HTMLElement; readonly content: RowContent }
  >();
  #gaps: readonly HTMLElement[] = [];
  readonly element: HTMLElement;

  constructor() {
    this.element = document.createElement('div');
    this.element.className = 'log-rows';
  }

  /** How many there are. */
  get size(): number {
    return this.#rows.size;
  }

  get(number: number): HTMLElement | undefined {
    return this.#rows.get(number)?.element;
  }

  /**
   * Has these rows there, in the order of their numbers.
   * @param groups the numbers; between two groups there are others
   * @param gaps how high what lies behind each group but the last is, in pixels
   */
  show(
    groups: readonly (readonly number[])[],
    contentOf: (number: number) => RowContent,
    gaps: readonly number[],
  ): void {
    const wanted = new Set(groups.flat());
    for (const [number, { element }] of this.#rows) {
      if (wanted.has(number)) continue;
      element.remove();
      this.#rows.delete(number);
    }
    for (const gap of this.#gaps) gap.remove();
    this.#gaps = gaps.map(gapOf);
    let next = this.element.firstElementChild;
    for (const [i, group] of groups.entries()) {
      for (const number of group) {
        const isNext = next !== null && this.get(number) === next;
        const row = this.#row(contentOf(number));
        if (!isNext) this.element.insertBefore(row, next);
        next = row.nextElementSibling;
      }
      const gap = this.#gaps[i];
      if (gap !== undefined) this.element.insertBefore(gap, next);
    }
  }

  /** The element of a row: the one that is there, unless it says something else now. */
  #row(content: RowContent): HTMLElement {
    const there = this.#rows.get(content.number);
    if (there !== undefined && isSame(there.content, content)) return there.element;
    const element = makeRow(content);
    there?.element.replaceWith(element);
    this.#rows.set(content.number, { element, content });
    return element;
  }
}

function gapOf(height: number): HTMLElement {
  const gap = document.createElement('div');
  gap.className = 'log-gap';
  gap.style.height = `${height}px`;
  return gap;
}

function isSame(one: RowContent, other: RowContent): boolean {
  return (
    one.line?.text === other.line?.text &&
    one.line?.bytes === other.line?.bytes &&
    (one.line === undefined) === (other.line === undefined) &&
    one.time === other.time &&
    one.isMarked === other.isMarked &&
    one.isCurrentHit === other.isCurrentHit &&
    one.hits.join() === other.hits.join() &&
    one.spans.length === other.spans.length &&
    one.spans.every(({ look, text }, i) => {
      const same = other.spans[i];
      return (
        same !== undefined && (look === same.look || isAlike(look, same.look)) && text === same.text
      );
    })
  );
}

function isAlike(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
