/** Where lines are drawn that change in place. */
export interface Screen {
  write(text: string): void;
  /** The width now: people change it. */
  columns(): number;
}

/** Lines that are drawn over each time they change, at the place where the cursor is. */
export class LiveLines {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** @param lines none of them wider than the screen, which would wrap them */
  draw(lines: readonly string[]): void {
    const end = '\u001b[K\n';
    this.#screen.write(`${this.#up()}${lines.map((line) => `${line}${end}`).join('')}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Takes them away; what is written next stands there. */
  clear(): void {
    if (this.#drawn > 0) this.#screen.write(`${this.#up()}\u001b[J`);
    this.#drawn = 0;
  }

  /** Leaves them there. */
  keep(): void {
    this.#drawn = 0;
  }

  #up(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`;
  }
}
