import {
  type Job,
  type JobChanges,
  type NewJob,
  type PmanClient,
  PmanClientError,
} from '../../client/index.ts';
import { type Values, valuesOf } from './formFields.ts';

/** Whether the answer to a request was lost: the job may have been accepted. */
export function isInDoubt(error: unknown): boolean {
  return keyInDoubt(error) !== undefined;
}

function keyInDoubt(error: unknown): string | undefined {
  return error instanceof PmanClientError ? error.mayHaveKey : undefined;
}

/** What is sent: a new job, or changes to the one with that id. */
export interface Sent {
  readonly of: string | undefined;
  readonly job: JobChanges;
}

/** The keys of jobs that may have been accepted: who sends the same again goes on with them, so that no second one is made. */
export class KeysInDoubt {
  readonly #keys = new Map<string, string>();

  /** Sends a job: as long as nobody knows whether it was accepted, under the same key. */
  async send(client: Pick<PmanClient, 'run' | 'rerun'>, { of, job }: Sent): Promise<Job> {
    const what = `${of} ${JSON.stringify(job)}`;
    const known = this.#keys.get(what);
    const options = known === undefined ? {} : { key: known };
    try {
      const made = await (of === undefined
        ? client.run(job as NewJob, options)
        : client.rerun(of, job, options));
      this.#keys.delete(what);
      return made;
    } catch (error) {
      const key = keyInDoubt(error);
      if (key !== undefined) this.#keys.set(what, key);
      // The key is another job's: with it there is no way on.
      else if (error instanceof PmanClientError && error.status === 409) this.#keys.delete(what);
      throw error;
    }
  }

  /** Somebody has given it up: the same again is another job. */
  forget(of: string | undefined): void {
    for (const what of this.#keys.keys()) {
      if (what.startsWith(`${of} `)) this.#keys.delete(what);
    }
  }
}

/** What is typed in a form, and what has become of it. It outlives the form: whoever comes back finds it. */
export class Draft {
  readonly before: Values;
  values: Values;
  error: unknown;
  isSending = false;
  /** Whether its form is on the page. */
  isShown = false;
  /** The question for a token has taken its form away. */
  wasTaken = false;

  constructor(before: Values) {
    this.before = before;
    this.values = before;
  }

  get isChanged(): boolean {
    const names = new Set([...Object.keys(this.values), ...Object.keys(this.before)]);
    return [...names].some((name) => (this.values[name] ?? '') !== (this.before[name] ?? ''));
  }
}

/** The drafts of this window: of a new job, and of each job that is to be sent again. */
export class Drafts {
  readonly #drafts = new Map<string | undefined, Draft>();

  /** The draft for a job that is sent again, or for a new one. */
  of(former: Job | undefined): Draft {
    const found = this.#drafts.get(former?.id);
    if (found !== undefined) return found;
    const draft = new Draft(valuesOf(former));
    this.#drafts.set(former?.id, draft);
    return draft;
  }

  /** Forgets what was typed; another draft for the same stays. */
  drop(former: Job | undefined, draft: Draft): void {
    if (this.#drafts.get(former?.id) === draft) this.#drafts.delete(former?.id);
  }

  /** Whether the form of this job was open when the server wanted a token. */
  wasTaken(id: string): boolean {
    return this.#drafts.get(id)?.wasTaken ?? false;
  }
}
