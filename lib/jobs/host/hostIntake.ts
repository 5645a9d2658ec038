import type { JobLimits } from '../../../crunner/job/jobLimits.ts';
import type { SshConnection } from '../../../crunner/ssh/ssh.ts';
import { type Soon, whenThere } from '../../concurrency/soon.ts';
import { PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import { hostFacts } from '../../host/facts.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { newJobRoot } from '../../records/jobRoot.ts';
import { type NewJob, newRecord } from '../../records/record.ts';
import type { JsonObject, JsonValue } from '../../wire/json.ts';
import { type TraceContext, traceVariables } from '../../wire/traceContext.ts';
import type { JobRequest } from '../backend.ts';
import { logAccepted } from '../jobLog.ts';
import { hostLimits, inputOf, type JobMaxima, refuseOverSsh, within } from '../runLimits.ts';
import { checkForSsh, partsOf } from './commandParts.ts';
import type { HostRuns } from './hostRuns.ts';
import { type HostSpool, notAccepted } from './hostSpool.ts';
import type { SpoolOwner } from './poller.ts';
import type { SshHosts } from './sshHosts.ts';

export interface HostIntakeOptions {
  readonly database: JobDatabase;
  /** Where jobs may go by ssh. */
  readonly sshHosts: SshHosts;
  /** Whether to have the disk confirm what is acknowledged. */
  readonly fsync: boolean;
  /** What every job of this host may take at most, and as whom it runs. */
  readonly limits?: JobMaxima & Pick<JobLimits, 'user'>;
  readonly log: Logger;
}

/** A job that this server takes, if the disk does. */
interface CheckedJob {
  readonly job: NewJob;
  readonly parts: readonly string[];
  readonly limits: JobLimits;
  readonly input: Buffer | undefined;
  readonly ssh: SshConnection | undefined;
}

/** Takes in the jobs of this host: once one is accepted, it is on the disk, and those that run jobs have it. */
export class HostIntake {
  readonly #options: HostIntakeOptions;
  readonly #spool: HostSpool;
  readonly #runs: HostRuns;
  /** The keys of jobs that the disk has yet to confirm. */
  readonly #confirming = new Map<JsonValue | undefined, Promise<void>>();
  /** Asked for with the first job: the system takes a while to tell. */
  #host: JsonObject | undefined;

  constructor(options: HostIntakeOptions, spool: HostSpool, runs: HostRuns) {
    this.#options = options;
    this.#spool = spool;
    this.#runs = runs;
  }

  /** Accepts a job (see JobBackend.submit). Refuses a command that ssh cannot carry, and a host that is not allowed. */
  submit({ rawMeta, cmd, auid, jid, trace, ...asked }: JobRequest): Soon<string> {
    const { sshHosts } = this.#options;
    const ssh = asked.ssh === undefined ? undefined : sshHosts.connectionTo(asked.ssh);
    const { user, ...maxima } = ssh === undefined ? (this.#options.limits ?? {}) : {};
    const own = { ...within(hostLimits(asked), maxima), ...(user && { user }) };
    const limits = traced(own, trace);
    const input = inputOf(asked);
    if (ssh !== undefined) refuseOverSsh(asked.limits);
    const job = { rawMeta, cmd, auid, jid, ...(trace && { trace }) };
    const split = asked.shell ? [cmd] : partsOf(cmd);
    const ready = ssh === undefined ? split : checkForSsh(limits).then(() => split);
    return whenThere(ready, (parts) => this.#take({ job, parts, limits, input, ssh }));
  }

  #take(asked: CheckedJob): Soon<string> {
    const { job, parts, limits, input, ssh } = asked;
    const { database, fsync } = this.#options;
    const earlier = this.#confirming.get(job.rawMeta.key);
    if (earlier !== undefined) return earlier.then(() => this.#take(asked));
    const record = newRecord(job);
    // Nothing is awaited from here on: of two requests with one key the second finds the first.
    const known = job.rawMeta.key === undefined ? undefined : database.sameJob(record);
    if (known !== undefined) return known;
    if (database.problem !== undefined) throw notAccepted(database.problem);
    const root = newJobRoot(preciseNow(), (beginning) => database.hasBeginning(beginning));
    this.#host ??= hostFacts();
    const owner: SpoolOwner = { job, host: this.#host };
    const request = {
      ...{ parts, owner, limits, fsync, ...(ssh && { ssh }) },
      ...(input && { hasStdin: true }),
    };
    const accepted = () => {
      database.add(root, record);
      logAccepted(this.#options.log, root, job);
      this.#runs.add(root, request);
      return root;
    };
    const refused = (error: unknown): never => {
      database.refused(error instanceof PmanError ? error.cause : error);
      throw error;
    };
    let confirmed: Promise<void> | undefined;
    try {
      confirmed = this.#spool.accept(root, request, {
        input: input && { bytes: input, owner: limits.user },
        startsNow: this.#runs.hasRoom,
      });
    } catch (error) {
      return refused(error);
    }
    if (confirmed === undefined) return accepted();
    return this.#whenConfirmed(job.rawMeta.key, confirmed.then(accepted, refused));
  }

  /** Nobody knows a job that the disk has not confirmed: the next request with its key waits for that. */
  async #whenConfirmed(key: JsonValue | undefined, job: Promise<string>): Promise<string> {
    if (key === undefined) return job;
    const over = job.then(
      () => undefined,
      () => undefined,
    );
    this.#confirming.set(key, over);
    try {
      return await job;
    } finally {
      this.#confirming.delete(key);
    }
  }
}

/** Limits with the variables of a trace; those that the client names itself win. */
function traced(limits: JobLimits, trace: TraceContext | undefined): JobLimits {
  return trace === undefined
    ? limits
    : { ...limits, env: { ...traceVariables(trace), ...limits.env } };
}
