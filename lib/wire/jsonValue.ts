/**
 * A number that a JavaScript number would write in another way (`1.0`, 20-digit integers, `1e400`).
 * Kept as its own text, so that what a client sent is echoed and stored unchanged.
 */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** How many were written by `JSON.stringify`, each as the nearest number: it has no way to write the exact text. */
  static roundedCount = 0;

  /** For `JSON.stringify`. */
  toJSON(): number {
    ExactNumber.roundedCount += 1;
    return Number(this.text);
  }
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | ExactNumber
  | readonly JsonValue[]
  | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}
