import { type ListBar, ROW } from './drawnRows.ts';
import { ScrollScale } from './scrollScale.ts';

/** Of the head of the table, in pixels; styles.css has it, too. */
const HEAD = 28;
/** A bar that is a scale is set right when nobody has moved it for so long, in milliseconds. */
const SETTLE_MS = 200;
/** So much of what is seen a page key moves. */
const PAGE = 0.9;

/**
 * Where the list of jobs is scrolled to. As long as a browser can have an element that is as high as all rows, the browser
 * scrolls it. Above that its bar is a scale (`ScrollScale`), and the wheel and the keys move the rows by what they say.
 */
export class ListScroll {
  readonly #scale = new ScrollScale();
  #box: HTMLElement | undefined;
  /** How high the element is; undefined as long as it has not been laid out. */
  #height: number | undefined;
  #onMove = () => {};
  #settling: ReturnType<typeof setTimeout> | undefined;
  #hasWheel = false;
  #rows = 0;

  get top(): number {
    return this.#scale.top;
  }

  /** How high the part is that shows rows; before that is known, as high as it could be. */
  get view(): number {
    return Math.max(0, (this.#height ?? window.innerHeight) - HEAD);
  }

  /** Whether the list is not shown now, as beside a job in a narrow window. */
  get isHidden(): boolean {
    return this.#height === 0;
  }

  get bar(): ListBar {
    const { barHeight, offset, top } = this.#scale;
    return { height: barHeight, offset, top };
  }

  /**
   * Scrolls this element from now on.
   * @param onMove is called when other rows are to be seen
   * @returns what ends that
   */
  attach(box: HTMLElement, onMove: () => void): () => void {
    this.#turnWheel(false);
    this.#box = box;
    this.#height = undefined;
    this.#onMove = onMove;
    box.addEventListener('scroll', this.#scrolled, { passive: true });
    // Asked for anywhere else, the height would have the browser lay out all rows in between.
    const watcher = new ResizeObserver(() => {
      this.#height = box.clientHeight;
      this.go(this.top);
    });
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      box.removeEventListener('scroll', this.#scrolled);
      if (this.#box !== box) return;
      clearTimeout(this.#settling);
      this.#turnWheel(false);
      this.#box = undefined;
    };
  }

  /** The list has so many rows now. */
  resize(rows: number): void {
    this.#rows = rows;
    this.#scale.resize(rows * ROW, this.view);
    this.#turnWheel(this.#scale.isScaled);
  }

  /** Goes to a place, in pixels of rows; a list that is not shown stays where it was. */
  go(top: number): void {
    if (this.isHidden) return;
    this.resize(this.#rows);
    this.#put(top);
    this.#onMove();
  }

  #put(top: number): void {
    const box = this.#box;
    const bar = this.#scale.go(top);
    // What has not been laid out stands at its beginning; to ask it would have it laid out.
    if (box === undefined || (this.#height === undefined && bar === 0)) return;
    // It may have been hidden just now, and cannot be scrolled: it is when it is shown again.
    if (box.clientHeight === 0 || Math.abs(box.scrollTop - bar) < 1) return;
    box.scrollTop = bar;
    // As far as the browser goes; with a scale all of the bar is there.
    if (!this.#scale.isScaled) this.#scale.moved(box.scrollTop);
  }

  readonly #scrolled = () => {
    if (this.#box === undefined) return;
    this.#scale.moved(this.#box.scrollTop);
    clearTimeout(this.#settling);
    if (this.#scale.isScaled) this.#settling = setTimeout(() => this.#put(this.top), SETTLE_MS);
    this.#onMove();
  };

  /** Brings a row into view, unless it is there. */
  bring(row: number): void {
    if (row * ROW < this.top) this.go(row * ROW);
    else if ((row + 1) * ROW > this.top + this.view) this.go((row + 1) * ROW - this.view);
  }

  /** Scrolls as a key says. @returns whether it is one that scrolls */
  key(key: string): boolean {
    const page = Math.max(ROW, Math.floor((this.view * PAGE) / ROW) * ROW);
    const { top } = this;
    const tops: Readonly<Record<string, number>> = {
      ...{ Home: 0, End: this.#scale.maxTop, PageUp: top - page, PageDown: top + page },
      ...{ ArrowUp: top - ROW, ArrowDown: top + ROW },
    };
    const to = tops[key];
    if (to !== undefined) this.go(to);
    return to !== undefined;
  }

  #turnWheel(isOurs: boolean): void {
    if (isOurs === this.#hasWheel || this.#box === undefined) return;
    this.#hasWheel = isOurs;
    // Only where it is needed: a browser waits for who may take the wheel from it.
    if (isOurs) this.#box.addEventListener('wheel', this.#wheel, { passive: false });
    else this.#box.removeEventListener('wheel', this.#wheel);
  }

  readonly #wheel = (event: WheelEvent) => {
    if (event.ctrlKey || event.deltaY === 0) return; // somebody makes the page larger, or goes sideways
    event.preventDefault();
    const units = [1, ROW, this.view];
    this.go(this.top + event.deltaY * (units[event.deltaMode] ?? 1));
  };
}
