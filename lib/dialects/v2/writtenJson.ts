import { hash } from 'node:crypto';

/** JSON that is written already, to be sent as it is. */
export class WrittenJson {
  readonly text: string;
  #bytes: number | undefined;
  #digest: string | undefined;

  /** @param digest another text has another one; default: made of the text */
  constructor(text: string, digest?: string) {
    this.text = text;
    this.#digest = digest;
  }

  /** How long it is in UTF-8. */
  get bytes(): number {
    this.#bytes ??= Buffer.byteLength(this.text);
    return this.#bytes;
  }

  get digest(): string {
    this.#digest ??= digestOf(this.text);
    return this.#digest;
  }

  /** The tag of an answer with it, by which a client asks whether it has changed (RFC 9110, 8.8.3). */
  get tag(): string {
    return `W/"${this.digest}"`;
  }

  /** The same object with more members. */
  with(members: object): WrittenJson {
    const more = JSON.stringify(members);
    return new WrittenJson(
      `${this.text.slice(0, -1)},${more.slice(1)}`,
      digestOf(`${this.digest} ${more}`),
    );
  }
}

/** Text as what is in its entity tag. */
export function digestOf(text: string): string {
  return hash('sha1', text, 'base64url');
}
