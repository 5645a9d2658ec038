/** No element is made higher, in pixels: browsers stop at 17 to 33 million. */
const MOST_PX = 15_000_000;
/** What is beside an end of a scroll bar: higher than any row. */
const NEAR_PX = 64;

/**
 * Where in a list one is, and where its scroll bar then stands. Up to a height both are the same. A longer list has a
 * scroll bar that is a scale: small steps move it pixel by pixel all the same, and a jump goes to that share of the list.
 */
export class ScrollScale {
  #height = 0;
  #view = 0;
  /** What is added to the bar's place. */
  #offset = 0;
  /** How far the list is scrolled, in its own pixels. */
  top = 0;

  /** How high the element is that the bar scrolls. */
  get barHeight(): number {
    return Math.min(this.#height, MOST_PX);
  }

  get maxTop(): number {
    return Math.max(0, this.#height - this.#view);
  }

  /** Where the bar stands. */
  get bar(): number {
    return this.top - this.#offset;
  }

  /** What is to be taken from a place in the list, for its place below the bar. */
  get offset(): number {
    return this.#offset;
  }

  get isScaled(): boolean {
    return this.#height > MOST_PX;
  }

  /** The list or its window has another height now. */
  resize(height: number, view: number): void {
    this.#height = height;
    this.#view = view;
    if (!this.isScaled) {
      this.top -= this.#offset;
      this.#offset = 0;
    }
    this.top = Math.min(this.top, this.maxTop);
  }

  /** The bar was moved by its user. */
  moved(bar: number): void {
    const before = this.top - this.#offset;
    const isJump = Math.abs(bar - before) > this.#view;
    const isEnd = bar <= 0 || bar >= this.#maxBar - 1;
    if ((this.isScaled && (isJump || isEnd)) || (isJump && this.#offset !== 0)) {
      this.top = this.#topAt(bar);
      this.#offset = this.top - bar;
      return;
    }
    this.top = Math.max(0, Math.min(this.maxTop, bar + this.#offset));
  }

  /** The bar was moved by its user, and the list by something else: that is its place now. */
  shift(bar: number, top: number): void {
    this.top = Math.max(0, Math.min(this.maxTop, top));
    this.#offset = this.top - bar;
  }

  /** Goes to a place of the list; gives where the bar then has to stand. */
  go(top: number): number {
    this.top = Math.max(0, Math.min(this.maxTop, top));
    if (!this.isScaled) {
      this.#offset = 0;
      return this.top;
    }
    const bar = this.#barAt(this.top);
    this.#offset = this.top - bar;
    return bar;
  }

  /**
   * Beside its ends the bar is the place itself: so there is height enough for the row that is seen in part, and a place
   * beside an end is not shown as the end.
   */
  #barAt(top: number): number {
    const left = this.maxTop - top;
    if (top <= 0 || left <= 0) return top <= 0 ? 0 : this.#maxBar;
    const bar = Math.round((top / this.maxTop) * this.#maxBar);
    const most = this.#maxBar - Math.max(2, Math.min(left, NEAR_PX));
    return Math.min(most, Math.max(1, Math.min(top, NEAR_PX), bar));
  }

  #topAt(bar: number): number {
    if (bar <= 0) return 0;
    return bar >= this.#maxBar - 1 ? this.maxTop : (bar / this.#maxBar) * this.maxTop;
  }

  get #maxBar(): number {
    return Math.max(0, this.barHeight - this.#view);
  }
}
