import { PmanError } from '../../errors.ts';
import { uuidOf } from '../jobRoot.ts';

/** How many characters of a uuid name a job at least. */
const LEAST = 4;
/** How many are shown: enough for tens of thousands of jobs. */
const SHOWN = 8;
/** Jobs whose uuids begin with so many equal characters are kept together. */
const BUCKET = 3;
const BEGINNING = /^[0-9a-f][0-9a-f-]{3,35}$/;

/** Finds jobs by the beginning of the uuid in their roots, as people type it. */
export class ShortNames {
  readonly #buckets = new Map<string, string[]>();

  add(root: string): void {
    const key = bucketOf(root);
    const roots = this.#buckets.get(key);
    if (roots === undefined) this.#buckets.set(key, [root]);
    else roots.push(root);
  }

  remove(root: string): void {
    const key = bucketOf(root);
    const left = (this.#buckets.get(key) ?? []).filter((one) => one !== root);
    if (left.length > 0) this.#buckets.set(key, left);
    else this.#buckets.delete(key);
  }

  /**
   * The job whose uuid begins so; undefined when there is none, or when this is no such beginning.
   * @throws PmanError conflict when there are several
   */
  find(name: string): string | undefined {
    const beginning = name.toLowerCase();
    if (!BEGINNING.test(beginning)) return undefined;
    const [first, ...others] = this.#beginningWith(beginning);
    if (first === undefined || others.length === 0) return first;
    throw new PmanError(
      'conflict',
      `${others.length + 1} jobs have an id that begins with ${name}`,
      {
        hint: `give more of it: ${[first, ...others].slice(0, 5).map(uuidOf).join(', ')}`,
      },
    );
  }

  /** Whether the uuid of a job begins so. */
  has(beginning: string): boolean {
    return this.#beginningWith(beginning).length > 0;
  }

  /** A short name of a job, which names no other one now. */
  of(root: string): string {
    const uuid = uuidOf(root);
    for (let length = Math.max(SHOWN, LEAST); length < uuid.length; length += 1) {
      const beginning = uuid.slice(0, length);
      if (this.#beginningWith(beginning).every((one) => one === root)) return beginning;
    }
    return uuid;
  }

  #beginningWith(beginning: string): readonly string[] {
    const roots = this.#buckets.get(beginning.slice(0, BUCKET)) ?? [];
    return roots.filter((root) => uuidOf(root).startsWith(beginning));
  }
}

const bucketOf = (root: string) => uuidOf(root).slice(0, BUCKET);
