import { PmanError } from '../../errors.ts';
import { uuidOf } from '../jobRoot.ts';

/** How many characters of a uuid are shown at least: enough for tens of thousands of jobs. */
const SHOWN = 8;
/** 4 characters name a job at least. */
const BEGINNING = /^[0-9a-f][0-9a-f-]{3,35}$/;

/** The roots of the jobs whose uuid begins so, with 4 characters or more. */
export type BeginningWith = (beginning: string) => readonly string[];

/**
 * The job that people call by the beginning of its uuid; undefined when there is none, or when this is no such beginning.
 * @throws PmanError conflict when there are several
 */
export function jobCalled(name: string, beginningWith: BeginningWith): string | undefined {
  const beginning = name.toLowerCase();
  if (!BEGINNING.test(beginning)) return undefined;
  const [first, ...others] = beginningWith(beginning);
  if (first === undefined || others.length === 0) return first;
  throw new PmanError('conflict', `${others.length + 1} jobs have an id that begins with ${name}`, {
    hint: `give more of it: ${[first, ...others].slice(0, 5).map(uuidOf).join(', ')}`,
  });
}

/** A short name of a job, which names no other one now. */
export function shortNameOf(root: string, beginningWith: BeginningWith): string {
  const uuid = uuidOf(root);
  for (let length = SHOWN; length < uuid.length; length += 1) {
    const beginning = uuid.slice(0, length);
    if (beginningWith(beginning).every((one) => one === root)) return beginning;
  }
  return uuid;
}
