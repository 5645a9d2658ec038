import { ScrollScale } from '../scrollScale.ts';
import { copyText } from './logCopy.ts';
import type { RowContent } from './logRow.ts';
import { LogRows } from './logRows.ts';
import { RowMap } from './rowMap.ts';

export const ROW_PX = 20;
/** Rows come and go in groups of so many. */
const GROUP_ROWS = 50;
/** So many rows stay for what is selected in them. */
const MOST_SELECTED = 2000;
/** A bar that is a scale is set right when nobody has moved it for so long, in milliseconds. */
const SETTLE_MS = 200;

export interface PaneOptions {
  /** What stands in a row. */
  contentOf(line: number): RowContent;
  /** These lines are in view, or nearly. */
  onView(from: number, to: number): void;
  /** Whether the end is in view has changed. */
  onFollow(isFollowing: boolean): void;
}

/** The rows of a log in a window that scrolls, of which only those in view are in the page. */
export class LogPane {
  readonly #options: PaneOptions;
  readonly #scroller: HTMLElement;
  readonly #spacer = document.createElement('div');
  readonly #rows = new LogRows();
  readonly #scale = new ScrollScale();
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
  #tailRows: number | undefined;

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
    document.addEventListener('selectionchange', () => this.draw(), { signal });
    scroller.addEventListener('copy', (event) => this.#copied(event), { signal });
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
    if (isMore) this.#tailRows = undefined;
    this.#measured();
  }

  setWrapped(isWrapped: boolean): void {
    if (isWrapped === this.#isWrapped) return;
    const line = this.firstLine;
    this.#isWrapped = isWrapped;
    this.#tailRows = undefined;
    this.#widest = 0;
    this.#rows.element.classList.toggle('log-wrapped', isWrapped);
    this.#measured();
    if (!this.#isFollowing) this.show(line, 'top');
  }

  /** Brings a line into view; `near`: unless it is, and then into the middle. */
  show(line: number, where: 'top' | 'near'): void {
    const row = this.#map.rowOf(line);
    const isInView = row >= this.#firstRow && row < this.#firstRow + this.viewRows - 1;
    if (where === 'near' && isInView) {
      this.draw();
      return;
    }
    const above = where === 'top' ? 0 : Math.floor(this.viewRows / 2);
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

  /** Goes up or down by rows. */
  step(rows: number): void {
    this.#go(this.#scale.top + rows * ROW_PX);
    this.#follow(this.#isAtEnd);
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
    this.#scale.moved(this.#scroller.scrollTop);
    const { top } = this.#scale;
    if (top < before - 0.5) this.#follow(false);
    else if (top > before + 0.5) this.#follow(this.#isAtEnd);
    if (this.#scale.isScaled) {
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
    const more = this.#isWrapped
      ? Math.max(0, this.viewRows - (this.#tailRows ?? this.viewRows))
      : 0;
    this.#scale.resize(height + more * ROW_PX, clientHeight);
    this.#spacer.style.height = `${this.#scale.barHeight}px`;
    if (this.#isFollowing) this.#go(this.#scale.maxTop);
    this.draw();
  }

  #go(top: number): void {
    const bar = this.#scale.go(top);
    if (Math.abs(this.#scroller.scrollTop - bar) >= 1) this.#scroller.scrollTop = bar;
    this.draw();
  }

  #draw(): void {
    const { rows } = this.#map;
    const { contentOf, onView } = this.#options;
    const first = this.#firstRow;
    const last = Math.min(rows - 1, first + this.viewRows + 1);
    const from = Math.floor(first / GROUP_ROWS) * GROUP_ROWS;
    const to = Math.ceil((last + 1) / GROUP_ROWS) * GROUP_ROWS - 1;
    const groups = this.#withSelected(Math.max(0, from), Math.min(rows - 1, to));
    const lines = groups.map((group) => this.#map.linesAt(group.from, group.to));
    const [one, two] = groups;
    const gap = one === undefined || two === undefined ? 0 : (two.from - one.to - 1) * ROW_PX;
    this.#rows.show(lines, contentOf, gap);
    const begin = (one?.from ?? 0) * ROW_PX - this.#scale.offset;
    this.#rows.element.style.top = `${begin}px`;
    if (this.#isWrapped) this.#align(first, last, begin);
    else this.#widen();
    if (rows > 0) onView(this.#map.lineAt(Math.max(0, from)), this.#map.lineAt(Math.max(0, last)));
  }

  /** Rows in view, and those that have something selected in them. */
  #withSelected(from: number, to: number): readonly { from: number; to: number }[] {
    const view = { from, to };
    const selected = this.#selected();
    if (selected === undefined || to < from) return [view];
    if (selected.from <= to + 1 && selected.to >= from - 1) {
      return [{ from: Math.min(from, selected.from), to: Math.max(to, selected.to) }];
    }
    return selected.from < from ? [selected, view] : [view, selected];
  }

  #selected(): { from: number; to: number } | undefined {
    const selection = document.getSelection();
    if (selection === null || selection.isCollapsed) return undefined;
    const ends = [lineOf(selection.anchorNode), lineOf(selection.focusNode)];
    if (!this.#rows.element.contains(selection.anchorNode)) return undefined;
    const rows = ends.flatMap((line) => (line === undefined ? [] : [this.#map.rowOf(line)]));
    if (rows.length === 0) return undefined;
    const [from, to] = [Math.min(...rows), Math.max(...rows)];
    return to - from < MOST_SELECTED ? { from, to } : undefined;
  }

  /** Rows that are higher than one line: the first one in view stands where the bar says, or the last one at the end. */
  #align(first: number, last: number, begin: number): void {
    const rowAt = (row: number) => this.#rows.get(this.#map.lineAt(row));
    const { element } = this.#rows;
    const { clientHeight, scrollTop } = this.#scroller;
    const lastRow = this.#map.rows - 1;
    const end = last === lastRow ? rowAt(lastRow) : undefined;
    if (end !== undefined && this.#tailRows === undefined) {
      let [row, height] = [lastRow, end.offsetHeight];
      while (row > 0 && height < clientHeight) {
        row -= 1;
        height += rowAt(row)?.offsetHeight ?? ROW_PX;
      }
      this.#tailRows = Math.max(1, lastRow - row);
      if (this.#tailRows < this.viewRows) {
        this.#measured();
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

  #copied(event: ClipboardEvent): void {
    const text = copyText(document.getSelection(), this.#rows.element, (line) => {
      const { spans } = this.#options.contentOf(line);
      return spans.map((span) => span.text).join('');
    });
    if (text === undefined) return;
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  }
}

/** The line of the row that a node is in. */
export function lineOf(node: Node | null): number | undefined {
  const element = node instanceof Element ? node : node?.parentElement;
  const line = element?.closest<HTMLElement>('.log-row')?.dataset.line;
  return line === undefined ? undefined : Number(line);
}
