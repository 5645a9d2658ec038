import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { z } from 'zod';
import { systemErrorCode } from '../errors.ts';
import { replaceFile } from '../host/atomicFile.ts';
import { PRIVATE } from '../host/rights.ts';
import { deliverySchema, putDelivery, type Subscription, subscriptionSchema } from './state.ts';

const lineSchema = z.union([
  /** All events up to this number have been looked at for receivers. */
  z.object({ fed: z.int().min(0) }),
  z.object({ subscription: subscriptionSchema }),
  z.object({ of: z.string(), delivery: deliverySchema }),
  z.object({ closed: z.string() }),
  z.object({ stopped: z.string() }),
  z.object({ resumed: z.string() }),
  z.object({ forgotten: z.string() }),
]);
export type JournalLine = z.infer<typeof lineSchema>;

export interface Known {
  /** Undefined when nothing was ever written. */
  fed: number | undefined;
  readonly subscriptions: Map<string, Subscription>;
}

/** A file is written anew when it has so many lines more than what it says. */
const SPARE_LINES = 20_000;

/**
 * What is to be sent and what came of it, as lines of JSON that are added. What stands there outlives this process: after
 * `kill -9` nothing is lost, and what was under way is sent once more.
 */
export class Journal {
  readonly #file: string;
  #lines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Reads what an earlier process has left. Lines that a crash has cut, or somebody has garbled, are left out.
   * @throws the file system's error
   */
  read(): Known {
    const known: Known = { fed: undefined, subscriptions: new Map() };
    const lines = this.#text().split('\n');
    for (const line of lines) {
      const parsed = lineSchema.safeParse(jsonOf(line));
      if (parsed.success) learn(known, parsed.data);
    }
    this.#lines = lines.length;
    return known;
  }

  /** Adds lines, all or none. @throws the file system's error */
  append(lines: readonly JournalLine[]): void {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const before = this.#size();
    try {
      appendFileSync(this.#file, text, { mode: PRIVATE.file });
    } catch (error) {
      // A part of a line would spoil the next one.
      if (this.#size() > before) truncateSync(this.#file, before);
      throw error;
    }
    this.#lines += lines.length;
  }

  /** Writes the file anew when most of its lines are of the past. @throws the file system's error */
  tidy(known: Known, force = false): void {
    if (!force && this.#lines < SPARE_LINES + 4 * known.subscriptions.size) return;
    const lines: JournalLine[] = [...known.subscriptions.values()].map((subscription) => ({
      subscription,
    }));
    if (known.fed !== undefined) lines.push({ fed: known.fed });
    replaceFile(this.#file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    this.#lines = lines.length;
  }

  #text(): string {
    try {
      const text = readFileSync(this.#file, 'utf8');
      // A last line without its end was cut by a crash.
      return text.slice(0, text.lastIndexOf('\n') + 1);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return '';
      throw error;
    }
  }

  #size(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** Brings what is known up to date by a line. */
export function learn(known: Known, line: JournalLine): void {
  const { subscriptions } = known;
  if ('fed' in line) known.fed = line.fed;
  else if ('subscription' in line) subscriptions.set(line.subscription.id, line.subscription);
  else if ('delivery' in line) {
    const subscription = subscriptions.get(line.of);
    if (subscription !== undefined) putDelivery(subscription, line.delivery);
  } else if ('forgotten' in line) subscriptions.delete(line.forgotten);
  else if ('closed' in line) change(known, line.closed, { isClosed: true });
  else if ('stopped' in line) change(known, line.stopped, { isStopped: true });
  else change(known, line.resumed, { isStopped: false });
}

function change(
  { subscriptions }: Known,
  id: string,
  changed: Partial<Pick<Subscription, 'isClosed' | 'isStopped'>>,
): void {
  const subscription = subscriptions.get(id);
  if (subscription !== undefined) Object.assign(subscription, changed);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
