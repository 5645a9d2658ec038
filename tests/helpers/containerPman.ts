import { join } from 'node:path';
import { ContainerJobs } from '../../lib/jobs/container/containerJobs.ts';
import type { OpenEngine, ReadShown } from '../../lib/jobs/container/engine.ts';
import { jobViewer } from '../../lib/jobs/container/jobViewer.ts';
import { sharedFolders } from '../../lib/jobs/container/plan.ts';
import { progressReader } from '../../lib/jobs/container/progressReader.ts';
import { exitCodeOf } from '../../lib/jobs/jobView.ts';
import type { LimitMeta } from '../../lib/jobs/runLimits.ts';
import { reasonOf, stateOf } from '../../lib/jobs/states.ts';
import { summarizer } from '../../lib/jobs/summary.ts';
import { silentLogger } from '../../lib/log.ts';
import { JobDatabase } from '../../lib/records/database.ts';
import type { JsonObject } from '../../lib/wire/json.ts';
import type { TraceContext } from '../../lib/wire/traceContext.ts';
import { eventually } from './eventually.ts';
import { tempDir } from './tempDir.ts';

export interface ContainerWish {
  /** The name at the engine; one that no other test has unless given. */
  readonly name?: string;
  readonly image?: string;
  readonly auid?: string;
  readonly shareDir?: string;
  /** More members of meta.container.target. */
  readonly target?: JsonObject;
  /** More members of meta.container. */
  readonly container?: JsonObject;
  readonly meta?: JsonObject;
  readonly limits?: LimitMeta;
  readonly trace?: TraceContext;
}

/** How a job stands, and what its record says of it. */
export interface JobSeen {
  readonly status: string;
  readonly output: string;
  readonly exitCode: number | null;
  readonly cause: string;
  readonly note: string | undefined;
  /** When it ended, in milliseconds since 1970. */
  readonly endedAt: number | null;
  /** The code of why it did not succeed. */
  readonly reason: string | undefined;
}

let nextName = 0;
/** A name that no other test has on the same engine. */
export function newName(): string {
  nextName += 1;
  return `c${process.pid}x${Date.now().toString(36)}x${nextName}`;
}

export interface PmanSettings {
  /** The folder of the engine's host that stands for the parent of every shareDir. */
  readonly storeBase?: string;
  /** How long the output of a job that has ended is waited for. */
  readonly lastWordsMs?: number;
}

/** What of pman runs container jobs, on a database of its own, over an engine. It can be closed and opened again. */
export class ContainerPman {
  readonly folder = tempDir();
  readonly #open: OpenEngine;
  readonly #readShown: ReadShown;
  readonly #image: string;
  readonly #settings: PmanSettings;
  #parts: { readonly jobs: ContainerJobs; readonly database: JobDatabase };

  constructor(open: OpenEngine, readShown: ReadShown, image: string, settings: PmanSettings = {}) {
    this.#settings = settings;
    this.#open = open;
    this.#readShown = readShown;
    this.#image = image;
    this.#parts = this.#start();
  }

  get jobs(): ContainerJobs {
    return this.#parts.jobs;
  }

  get database(): JobDatabase {
    return this.#parts.database;
  }

  /** Accepts a job; gives its root. */
  submit(cmd: string, wish: ContainerWish = {}): Promise<string> {
    const { name = newName(), image = this.#image, auid = 'user', shareDir } = wish;
    const container = {
      target: { image, ...wish.target },
      manager: { env: shareDir === undefined ? {} : { shareDir } },
      ...wish.container,
    };
    const rawMeta = { cmd, auid, jid: name, container, ...wish.meta };
    return this.jobs.submit({
      rawMeta,
      cmd,
      auid,
      jid: name,
      container,
      limits: wish.limits ?? {},
      ...(wish.trace === undefined ? {} : { trace: wish.trace }),
    });
  }

  async see(root: string): Promise<JobSeen> {
    const record = this.database.tree(root);
    if (record === undefined) throw new Error(`there is no record of ${root}`);
    const report = await this.jobs.report(root, record);
    const [part] = report.parts();
    const view = jobViewer(this.#readShown)(record);
    const { returncodes } = progressReader(this.#readShown)(record);
    const exitCode = part?.exitCode ?? null;
    // Whatever is asked, one exit code is told.
    if (view.isDone && (returncodes[0] !== exitCode || exitCodeOf(view) !== exitCode)) {
      const told = JSON.stringify([exitCode, returncodes, exitCodeOf(view)]);
      throw new Error(`result, status and /api/v2 tell different exit codes: ${told}`);
    }
    return {
      status: report.status,
      output: report.combined ?? '',
      exitCode,
      cause: String(record.cat(['container', 'cause']) ?? ''),
      note: report.note,
      endedAt: view.endedAt,
      reason: reasonOf(view, stateOf(view))?.code,
    };
  }

  /** The job, once it has ended. */
  async end(root: string, timeoutMs = 60_000): Promise<JobSeen> {
    await eventually(() => !this.jobs.isActive(root), {
      timeoutMs,
      pollMs: 20,
      message: `${root} to end`,
    });
    return this.see(root);
  }

  /** The job, once it runs and has written this. */
  async written(root: string, text: string): Promise<void> {
    await eventually(async () => (await this.see(root)).output.includes(text), {
      ...{ timeoutMs: 60_000, pollMs: 50, message: `${root} to write ${text}` },
    });
  }

  kill(root: string): Promise<boolean> {
    return this.jobs.kill(root, { signal: 'SIGKILL', graceMs: 0, cause: 'ended by the test' });
  }

  /** Ends without saving anything more, as a crash does, and opens again. */
  async restart(): Promise<void> {
    await this.close(0);
    this.#parts = this.#start();
  }

  async close(saveMs = 1000): Promise<void> {
    this.jobs.close();
    await this.database.close(saveMs);
  }

  #start() {
    const log = silentLogger();
    const workFolder = join(this.folder, 'work');
    const summaryOf = summarizer(jobViewer(this.#readShown));
    const shared = { workFolder, fsync: false, summaryOf, log };
    const database = JobDatabase.open({ ...shared, folder: join(this.folder, 'db') });
    const jobs = new ContainerJobs({
      ...{ ...shared, database, logLimitBytes: 1024 * 1024 },
      shareRule: sharedFolders(this.#settings.storeBase),
      ...{ openEngine: this.#open, engineName: 'docker', readShown: this.#readShown },
      lastWordsMs: this.#settings.lastWordsMs ?? 120_000,
    });
    jobs.recover();
    return { jobs, database };
  }
}
