import { PmanError } from '../errors.ts';

/** Of all requests together that are still coming, in bytes. */
const ROOM_BYTES = 16 * 1024 * 1024;
/** What each request may have whatever the others have: more than clients send, which describe one transfer. */
const FREE_BYTES = 64 * 1024;

/**
 * Room in memory for the texts of requests that have not come to their end: messages, and fields of forms. Without it,
 * a client could open many and never end them; each would be within its own limit.
 */
export class TextRoom {
  readonly #maxBytes: number;
  readonly #freeBytes: number;
  #used = 0;

  constructor(maxBytes = ROOM_BYTES, freeBytes = FREE_BYTES) {
    this.#maxBytes = maxBytes;
    this.#freeBytes = freeBytes;
  }

  /** The place of one request. It is to be left when its text is read, or the request has gone. */
  enter(): TextPlace {
    let bytes = 0;
    let taken = 0;
    let hasLeft = false;
    return {
      take: (more) => {
        bytes += more;
        const wanted = Math.max(bytes - this.#freeBytes, 0);
        if (hasLeft || wanted === taken) return;
        if (this.#used + wanted - taken > this.#maxBytes) throw tooMany();
        this.#used += wanted - taken;
        taken = wanted;
      },
      leave: () => {
        hasLeft = true;
        this.#used -= taken;
        taken = 0;
      },
    };
  }
}

export interface TextPlace {
  /** Counts bytes that have come. @throws PmanError busy when all requests together have too many */
  take(bytes: number): void;
  leave(): void;
}

/** That of this process: its memory is one, however many servers it has. */
export const textRoom = new TextRoom();

const tooMany = () =>
  new PmanError('busy', 'too many long messages and forms are coming at once', {
    hint: 'try again; what is shorter than 64 KiB is always taken',
  });
