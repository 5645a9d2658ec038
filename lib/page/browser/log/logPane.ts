import { ScrollScale } from '../scrollScale.ts';
import { drawnRanges } from './drawnRanges.ts';
import type { SelectedText } from './logCopy.ts';
import type { RowContent } from './logRow.ts';
import { LogRows } from './logRows.ts';
import { LogSelection } from './logSelection.ts';
import { RowMap } from './rowMap.ts';
import { walked } from './rowWalk.ts';

export const ROW_PX = 20;
/** Rows come and go in groups of so many. */
const GROUP_ROWS = 50;
/** A bar that is a scale is set right when nobody has moved it for so long, in milliseconds. */
const SETTLE_MS = 200;

export interface PaneOptions {
  /** What stands in a row. */
  readonly contentOf: (line: number) => RowContent;
  /** These lines are in view, or nearly. */
  readonly onView: (from: number, to: number) => void;
  /** Whether the end is in view has changed. */
  readonly onFollow: (isFollowing: boolean) => void;
  /** This is to be copied, and not all of it is there. */
  readonly onCopy: (selected: SelectedText) => void;
}

/** The rows of a log in a window that scrolls, of which only those in view are in the page. */
export class LogPane {
  readonly #options: PaneOptions;
  readonly #scroller: HTMLElement;
  readonly #spacer = document.createElement('div');
  readonly #rows = new LogRows();
  readonly #scale = new ScrollScale();
  readonly #selection: LogSelection;
  readonly #resized: ResizeObserver;
  readonly #stopper = new AbortController();
  #map = new RowMap(0);
  #isFollowing = true;
  #isWrapped = false;
  /** How high the window was when it was measured. */
  #height = 0;
  /** How wide the widest row was: the window does not move sideways when it goes. */
  #widest = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #drawing: number | undefined;
  /** With wrapped rows: how many of the last ones fill the window. */
  #tailRows = 1;
  #isTailMeasured = false;

  constructor(scroller: HTMLElement, options: PaneOptions) {
    this.#scroller = scroller;
    this.#options = options;
    this.#spacer.className = 'log-spacer';
    scroller.replaceChildren(this.#spacer, this.#rows.element);
    const { signal } = this.#stopper;
    const more = { signal, passive: true };
    scroller.addEventListener('scroll', () => this.#scrolled(), more);
    // Before the scrolling itself: what comes meanwhile does not take the window back to the end.
    scroller.addEventListener('wheel', ({ deltaY }) => this.#pausesFor(deltaY < 0), more);
    scroller.addEventListener('touchmove', () => this.#pausesFor(true), more);
    this.#selection = new LogSelection(
      {
        rows: this.#rows.element,
        map: () => this.#map,
        contentOf: options.contentOf,
        onChange: () => this.draw(),
        onCopy: options.onCopy,
      },
      signal,
    );
    this.#resized = new ResizeObserver(() => this.#measured());
    this.#resized.observe(scroller);
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** How many rows are in the page. */
  get mounted(): number {
    return this.#rows.size;
  }

  /** The first line in view. */
  get firstLine(): number {
    return this.#map.lineAt(Math.min(this.#firstRow, Math.max(0, this.#map.rows - 1)));
  }

  /** How many rows fit into the window. */
  get viewRows(): number {
    return Math.max(1, Math.floor(this.#scroller.clientHeight / ROW_PX));
  }

  /** There are other rows now. */
  setMap(map: RowMap): void {
    const isMore = map.total > this.#map.total;
    this.#map = map;
    if (isMore) this.#isTailMeasured = false;
    this.#measured();
  }

  setWrapped(isWrapped: boolean): void {
    if (isWrapped === this.#isWrapped) return;
    const line = this.firstLine;
    this.#isWrapped = isWrapped;
    [this.#tailRows, this.#isTailMeasured] = [1, false];
    this.#widest = 0;
    this.#rows.element.classList.toggle('log-wrapped', isWrapped);
    this.#measured();
    if (!this.#isFollowing) this.show(line, 'top');
  }

  /** Brings a line into view; `near`: unless it is, and then into the middle. */
  show(line: number, where: 'top' | 'near'): void {
    const row = this.#map.rowOf(line);
    const isInView = this.#isWrapped
      ? this.#isSeen(line)
      : row >= this.#firstRow && row < this.#firstRow + this.viewRows - 1;
    if (where === 'near' && isInView) {
      this.draw();
      return;
    }
    // Of rows that are higher nobody knows how many leave it in view.
    const above = where === 'top' || this.#isWrapped ? 0 : Math.floor(this.viewRows / 2);
    this.#go((row - above) * ROW_PX);
    this.#follow(this.#isAtEnd);
  }

  /** Goes to the end and stays there. */
  follow(): void {
    this.#follow(true);
    this.#measured();
  }

  pause(): void {
    this.#follow(false);
  }

  /** Goes up or down by a row; of one that is higher than the window, by what is seen of it. */
  step(way: 1 | -1): void {
    const at = this.#scale.top / ROW_PX;
    let next = at + way;
    if (this.#isWrapped) {
      const page = this.#walked(way * this.#pagePx);
      next = way === 1 ? Math.min(Math.floor(at) + 1, page) : Math.max(Math.ceil(at) - 1, page);
    }
    this.#stepTo(next * ROW_PX);
  }

  /** Goes up or down by what is seen, but for a line. */
  page(way: 1 | -1): void {
    if (!this.#isWrapped) this.#stepTo(this.#scale.top + way * (this.viewRows - 1) * ROW_PX);
    else this.#stepTo(this.#walked(way * this.#pagePx) * ROW_PX);
  }

  /** Draws what is in view, before the browser shows its next picture. */
  draw(): void {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = undefined;
      this.#draw();
    });
  }

  close(): void {
    this.#stopper.abort();
    this.#resized.disconnect();
    clearTimeout(this.#settling);
    if (this.#drawing !== undefined) cancelAnimationFrame(this.#drawing);
    this.#scroller.replaceChildren();
  }

  get #firstRow(): number {
    return Math.floor(this.#scale.top / ROW_PX);
  }

  get #isAtEnd(): boolean {
    return this.#scale.top >= this.#scale.maxTop - 1;
  }

  #scrolled(): void {
    // A window that has grown is moved by the browser, not by its user.
    if (this.#scroller.clientHeight !== this.#height) this.#measured();
    const before = this.#scale.top;
    const { scrollTop, clientHeight } = this.#scroller;
    const moved = scrollTop - this.#scale.bar;
    // A pixel of the bar is one of the rows, however high they are: else a wheel would leave lines out.
    const isWalk = this.#isWrapped && Math.abs(moved) <= clientHeight;
    if (!isWalk) this.#scale.moved(scrollTop);
    else if (Math.abs(moved) >= 1) this.#scale.shift(scrollTop, this.#walked(moved) * ROW_PX);
    const { top } = this.#scale;
    if (top < before - 0.5) this.#follow(false);
    else if (top > before + 0.5) this.#follow(this.#isAtEnd);
    if (this.#scale.isScaled || isWalk) {
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#go(this.#scale.top), SETTLE_MS);
    }
    this.#draw();
  }

  #pausesFor(isUp: boolean): void {
    if (isUp && this.#scale.maxTop > 0) this.#follow(false);
  }

  #follow(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#options.onFollow(isFollowing);
  }

  /** The window or the list has another height. */
  #measured(): void {
    const { clientHeight } = this.#scroller;
    this.#height = clientHeight;
    const height = this.#map.rows * ROW_PX;
    // The last rows may be higher than one line: then fewer of them fill the window.
    const more = this.#isWrapped ? Math.max(0, this.viewRows - this.#tailRows) : 0;
    const { top } = this.#scale;
    this.#scale.resize(height + more * ROW_PX, clientHeight);
    this.#spacer.style.height = `${this.#scale.barHeight}px`;
    if (this.#isFollowing) this.#go(this.#scale.maxTop);
    else if (this.#isWrapped) this.#go(top);
    this.draw();
  }

  #go(top: number): void {
    const bar = this.#scale.go(top);
    if (Math.abs(this.#scroller.scrollTop - bar) >= 1) this.#scroller.scrollTop = bar;
    this.draw();
  }

  #stepTo(top: number): void {
    this.#go(top);
    this.#follow(this.#isAtEnd);
  }

  get #pagePx(): number {
    return Math.max(ROW_PX, this.#scroller.clientHeight - ROW_PX);
  }

  /** The row at the top once the rows have moved by so many pixels. */
  #walked(px: number): number {
    // Keys may come faster than pictures.
    if (this.#drawing !== undefined) this.#draw();
    return walked(this.#scale.top / ROW_PX, px, (row) => {
      const element = row < 0 ? undefined : this.#rows.get(this.#map.lineAt(row));
      return element?.classList.contains('log-unread') === false ? element.offsetHeight : undefined;
    });
  }

  /** Whether all of a row is in view. */
  #isSeen(line: number): boolean {
    const row = this.#rows.get(line)?.getBoundingClientRect();
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    return row !== undefined && row.top >= top && row.bottom <= bottom;
  }

  #draw(): void {
    const { rows } = this.#map;
    const { contentOf, onView } = this.#options;
    const first = this.#firstRow;
    const last = Math.min(rows - 1, first + this.viewRows + 1);
    // What is above is measured before one goes there.
    const above = this.#isWrapped ? this.viewRows : 0;
    const from = Math.max(0, Math.floor((first - above) / GROUP_ROWS) * GROUP_ROWS);
    const to = Math.ceil((last + 1) / GROUP_ROWS) * GROUP_ROWS - 1;
    const groups = drawnRanges({ from, to: Math.min(rows - 1, to) }, this.#selection.range);
    const lines = groups.map((group) => this.#map.linesAt(group.from, group.to));
    const gaps = groups
      .slice(1)
      .map((group, i) => (group.from - (groups[i]?.to ?? 0) - 1) * ROW_PX);
    this.#rows.show(lines, contentOf, gaps);
    const begin = (groups[0]?.from ?? 0) * ROW_PX - this.#scale.offset;
    this.#rows.element.style.top = `${begin}px`;
    if (this.#isWrapped) this.#align(first, last, begin);
    else this.#widen();
    if (rows > 0) onView(this.#map.lineAt(from), this.#map.lineAt(Math.max(0, last)));
  }

  /** Rows that are higher than one line: the first one in view stands where the bar says, or the last one at the end. */
  #align(first: number, last: number, begin: number): void {
    const rowAt = (row: number) => this.#rows.get(this.#map.lineAt(row));
    const { element } = this.#rows;
    const { clientHeight, scrollTop } = this.#scroller;
    const lastRow = this.#map.rows - 1;
    const end = last === lastRow ? rowAt(lastRow) : undefined;
    if (end !== undefined && !this.#isTailMeasured) {
      let [row, height] = [lastRow, end.offsetHeight];
      while (row > 0 && height < clientHeight) {
        row -= 1;
        height += rowAt(row)?.offsetHeight ?? ROW_PX;
      }
      const before = this.#tailRows;
      [this.#tailRows, this.#isTailMeasured] = [Math.max(1, lastRow - row), true];
      if (this.#tailRows !== before) {
        this.#measured();
        this.#draw();
        return;
      }
    }
    if (end !== undefined && this.#isAtEnd) {
      const bottom = end.offsetTop + end.offsetHeight;
      element.style.top = `${scrollTop + clientHeight - bottom}px`;
      return;
    }
    const top = rowAt(first);
    if (top === undefined) return;
    const share = (this.#scale.top - first * ROW_PX) / ROW_PX;
    const wanted = scrollTop - share * top.offsetHeight - top.offsetTop;
    if (wanted !== begin) element.style.top = `${wanted}px`;
  }

  #widen(): void {
    const { scrollWidth } = this.#rows.element;
    // As wide as the window is no width of the rows: it is another one once a scroll bar is there.
    if (scrollWidth <= Math.max(this.#widest, this.#scroller.clientWidth)) return;
    this.#widest = scrollWidth;
    this.#spacer.style.minWidth = `${scrollWidth}px`;
  }
}
