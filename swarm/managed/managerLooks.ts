import { Queue } from '../../lib/concurrency/queue.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Look, ManagerImage, Work } from '../../lib/jobs/container/engine.ts';
import type { Logger } from '../../lib/log.ts';
import { tellerOf } from './handle.ts';

/** How many manager containers look at once. */
const LOOKS_AT_ONCE = 4;

/** What is known of one piece of work. */
interface Known {
  /** The last look at which it had not ended. */
  last?: Look;
  /** The manager, while it is asked. */
  asking?: Promise<Look | undefined>;
  /** Keeps the answer, when it comes, for the next look. */
  keeping?: Promise<void>;
  /** What the manager has said when the engine showed the end of this worker. */
  answer?: { readonly worker: string | undefined; readonly look: Look };
}

type AskManager = (work: Work, manager: ManagerImage) => Promise<Look | undefined>;

/**
 * Asks managers how work stands. It takes a container each time, which is slow and may hang: only a client who asks for it
 * waits for it.
 */
export class ManagerLooks {
  readonly #ask: AskManager;
  readonly #log: Logger;
  readonly #queue = new Queue(LOOKS_AT_ONCE);
  readonly #known = new Map<string, Known>();
  /** Told the name of work whose manager has answered: the next `quickly` gives the answer. */
  onAnswer: ((name: string) => void) | undefined;

  constructor(ask: AskManager, log: Logger) {
    this.#ask = ask;
    this.#log = log;
  }

  /** How these stand by their managers, each of which is waited for. */
  async closely(works: readonly Work[]): Promise<ReadonlyMap<string, Look>> {
    const looks = new Map<string, Look>();
    const lookAt = async (work: Work) => {
      const look = await this.#askOnce(work, this.#of(work.name));
      if (look !== undefined) looks.set(work.name, look);
    };
    await Promise.all(works.map(lookAt));
    return looks;
  }

  /**
   * How these stand by the engine. Of what has ended the manager is asked how, and nobody waits: until it has said so the
   * work stands as it was seen last.
   */
  quickly(works: readonly Work[], seen: ReadonlyMap<string, Look>): ReadonlyMap<string, Look> {
    const looks = new Map(seen);
    for (const work of works) {
      const look = seen.get(work.name);
      if (look === undefined) this.forget(work.name);
      else if (tellerOf(work.handle) !== undefined) {
        looks.set(work.name, this.#told(work, look));
      }
    }
    return looks;
  }

  /** Nothing of what is known holds any more: the work was removed, or other work may get the name. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  #told(work: Work, look: Look): Look {
    const known = this.#of(work.name);
    if (look.kind !== 'ended') {
      known.last = look;
      return look;
    }
    const worker = look.workers[0]?.id;
    const { answer } = known;
    if (answer !== undefined && answer.worker === worker) {
      if (answer.look.kind !== 'ended') delete known.answer; // asked again
      return answer.look;
    }
    known.keeping ??= this.#keepAnswer(work, known, worker).finally(() => {
      delete known.keeping;
    });
    return known.last ?? notEnded(look);
  }

  async #keepAnswer(work: Work, known: Known, worker: string | undefined): Promise<void> {
    try {
      const look = await this.#askOnce(work, known);
      if (look === undefined) return;
      known.answer = { worker, look };
      this.onAnswer?.(work.name);
    } catch (error) {
      this.#log.debug('a manager cannot be asked', { name: work.name, reason: messageOf(error) });
    }
  }

  /** Who asks while it is being asked gets the same answer. */
  #askOnce(work: Work, known: Known): Promise<Look | undefined> {
    const manager = tellerOf(work.handle);
    if (manager === undefined) return Promise.resolve(undefined);
    known.asking ??= this.#queue
      .run(() => this.#ask(work, manager))
      .finally(() => {
        delete known.asking;
      });
    return known.asking;
  }

  #of(name: string): Known {
    const known = this.#known.get(name) ?? {};
    this.#known.set(name, known);
    return known;
  }
}

/** Of what was never seen before its end. */
function notEnded({ workers, shown }: Look): Look {
  return {
    kind: 'running',
    workers: workers.map((worker) => ({ ...worker, exitCode: null })),
    shown,
  };
}
