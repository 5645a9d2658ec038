import { Feed, type FeedClient, type Member } from './feed.ts';
import type { FromWindow, ToWindow } from './messages.ts';

/** How often windows are asked whether they are there, and how long they may be silent, in milliseconds. */
const PING_MS = 20_000;
const SILENT_MS = 70_000;

/** The streams of a browser: one for each token that a window of it has, and for those without one. */
export class Feeds {
  readonly #makeClient: (token: string | null) => FeedClient;
  readonly #feeds = new Map<string | null, Feed>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(makeClient: (token: string | null) => FeedClient) {
    this.#makeClient = makeClient;
  }

  /**
   * Takes a window in.
   * @param tell says something to it
   * @returns what hears what it says
   */
  connect(tell: (message: ToWindow) => void): (message: FromWindow) => void {
    let member: Member | undefined;
    let feed: Feed | undefined;
    return (message) => {
      switch (message.kind) {
        case 'join':
          member = { tell, seen: message.after, heardAt: Date.now() };
          tell({ kind: 'joined' });
          feed = this.#feedFor(message.token, message.after);
          feed.join(member);
          break;
        case 'here':
          if (member !== undefined) member.heardAt = Date.now();
          break;
        case 'leave':
          if (member !== undefined) feed?.leave(member);
          break;
      }
    };
  }

  #feedFor(token: string | null, after: number | undefined): Feed {
    const known = this.#feeds.get(token);
    if (known !== undefined) return known;
    const feed = new Feed(this.#makeClient(token), after, () => {
      // The token is kept no longer than a window has it.
      if (this.#feeds.get(token) === feed) this.#feeds.delete(token);
      if (this.#feeds.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#feeds.set(token, feed);
    this.#timer ??= setInterval(() => {
      for (const one of this.#feeds.values()) one.ping(Date.now() - SILENT_MS);
    }, PING_MS);
    return feed;
  }
}
