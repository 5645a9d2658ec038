import type { JobLimits } from '../../../crunner/job/jobLimits.ts';
import { PmanError } from '../../errors.ts';
import { preciseNow } from '../../host/clock.ts';
import { hostFacts } from '../../host/facts.ts';
import type { Logger } from '../../log.ts';
import type { JobDatabase } from '../../records/database.ts';
import { newJobRoot } from '../../records/jobRoot.ts';
import { newRecord } from '../../records/record.ts';
import type { JsonObject } from '../../wire/json.ts';
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

/** Takes in the jobs of this host: once one is accepted, it is on the disk, and those that run jobs have it. */
export class HostIntake {
  readonly #options: HostIntakeOptions;
  readonly #spool: HostSpool;
  readonly #runs: HostRuns;
  /** Asked for with the first job: the system takes a while to tell. */
  #host: JsonObject | undefined;

  constructor(options: HostIntakeOptions, spool: HostSpool, runs: HostRuns) {
    this.#options = options;
    this.#spool = spool;
    this.#runs = runs;
  }

  /** Accepts a job (see JobBackend.submit). Refuses a command that ssh cannot carry, and a host that is not allowed. */
  async submit({ rawMeta, cmd, auid, jid, trace, ...asked }: JobRequest): Promise<string> {
    const { database, fsync, sshHosts } = this.#options;
    const ssh = asked.ssh === undefined ? undefined : sshHosts.connectionTo(asked.ssh);
    const { user, ...maxima } = ssh === undefined ? (this.#options.limits ?? {}) : {};
    const own = { ...within(hostLimits(asked), maxima), ...(user && { user }) };
    const limits = traced(own, trace);
    const input = inputOf(asked);
    if (ssh !== undefined) refuseOverSsh(asked.limits);
    const job = { rawMeta, cmd, auid, jid, ...(trace && { trace }) };
    const parts = asked.shell ? [job.cmd] : await partsOf(job.cmd);
    if (ssh !== undefined) await checkForSsh(limits);
    // Nothing is awaited from here on: of two requests with one key the second finds the first.
    const record = newRecord(job);
    const known = database.sameJob(record);
    if (known !== undefined) return known;
    if (database.problem !== undefined) throw notAccepted(database.problem);
    const root = newJobRoot(preciseNow(), (beginning) => database.hasBeginning(beginning));
    this.#host ??= hostFacts();
    const owner: SpoolOwner = { job, host: this.#host };
    const request = {
      ...{ parts, owner, limits, fsync, ...(ssh && { ssh }) },
      ...(input && { hasStdin: true }),
    };
    try {
      this.#spool.accept(root, request, input && { bytes: input, owner: limits.user });
    } catch (error) {
      database.refused(error instanceof PmanError ? error.cause : error);
      throw error;
    }
    database.add(root, record);
    logAccepted(this.#options.log, root, job);
    this.#runs.add(root, request);
    return root;
  }
}

/** Limits with the variables of a trace; those that the client names itself win. */
function traced(limits: JobLimits, trace: TraceContext | undefined): JobLimits {
  return trace === undefined
    ? limits
    : { ...limits, env: { ...traceVariables(trace), ...limits.env } };
}
