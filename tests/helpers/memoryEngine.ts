import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { BadRequestError, PmanError } from '../../lib/errors.ts';
import { causeOf, exitCause, memoryCause } from '../../lib/jobs/causeWords.ts';
import {
  type ChangesOptions,
  type Checked,
  type CheckOptions,
  type EndOrder,
  type Engine,
  type FollowOptions,
  isOfJob,
  type Limits,
  type Look,
  type NameOwner,
  nameRefused,
  type ReadShown,
  type Started,
  type StartOptions,
  type Work,
  type Worker,
  type WorkRequest,
} from '../../lib/jobs/container/engine.ts';
import { splitIntoWords } from '../../lib/jobs/container/words.ts';
import { eventually } from './eventually.ts';

/** The only image there is: this machine's programs. */
export const MEMORY_IMAGE = 'local/busybox:latest';

interface MemoryWork {
  readonly request: WorkRequest;
  readonly workers: MemoryWorker[];
}

/**
 * The world of an engine that keeps everything in memory and runs commands as processes of this machine: small, quick, and with
 * handles for everything that goes wrong with real ones. It outlives the clients that tests open, as a real engine does.
 */
export class MemoryWorld {
  readonly works = new Map<string, MemoryWork>();
  /** How often each job has been started: more than once is always wrong. */
  readonly starts = new Map<string, number>();
  /** Told of every change. */
  readonly listeners = new Set<(name: string) => void>();
  /** Calls by their names. */
  readonly calls: string[] = [];
  /** Nobody answers. */
  isAway = false;
  /** What is asked is done, but the connection is lost before the answer. */
  dropsAnswers = false;
  /** Nothing is said until this resolves. */
  silence: Promise<void> | undefined;
  /** Work waits, and does not start, until this resolves. */
  gate: Promise<void> | undefined;
  /** It answers, but tells no changes. */
  tellsNothing = false;
  /** What was written cannot be had: `refused` says so, `silent` says nothing. */
  output: 'there' | 'refused' | 'silent' = 'there';
  /** No signal reaches what runs, as on another node. */
  isOutOfReach = false;

  async call<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    this.calls.push(name);
    await this.silence;
    if (this.isAway) throw awayError(name);
    const done = await work();
    if (this.dropsAnswers) throw awayError(name);
    return done;
  }

  tell(name: string): void {
    for (const listener of this.listeners) listener(name);
  }

  /** Ends what runs, as a machine that is switched off. */
  async close(): Promise<void> {
    for (const { workers } of this.works.values()) for (const worker of workers) worker.kill();
    await eventually(() =>
      [...this.works.values()].every((work) => work.workers.every((w) => w.isOver)),
    );
  }
}

const awayError = (name: string) =>
  new PmanError('unavailable', `cannot ${name}: no answer from memory`);

/** An engine of the contract over a MemoryWorld. */
export class MemoryEngine implements Engine {
  readonly #world: MemoryWorld;

  constructor(world: MemoryWorld) {
    this.#world = world;
  }

  check({ name, options }: WorkRequest, _: CheckOptions): Promise<Checked> {
    if (!/^[\w.-]+$/.test(name)) throw nameRefused(name, 'letters, digits, "_", "." or "-"');
    if (options.limits?.gpus) throw new BadRequestError('run: this engine has no GPUs');
    return this.#world.call('check', () => ({ nameIsTaken: this.#world.works.has(name) }));
  }

  start(request: WorkRequest, { cancelled, input }: StartOptions): Promise<Started | undefined> {
    return this.#world.call('start', () => {
      const { name, owner } = request;
      const known = this.#world.works.get(name);
      if (known?.request.owner.job === owner.job) return STARTED;
      if (cancelled.aborted) return undefined;
      if (known !== undefined) throw new PmanError('conflict', `the name ${name} is taken`);
      refuse(request);
      this.#world.starts.set(owner.job, (this.#world.starts.get(owner.job) ?? 0) + 1);
      const count = request.options.workers ?? 1;
      const workers = Array.from(
        { length: count },
        (_, i) => new MemoryWorker(request, i, this.#world, input),
      );
      this.#world.works.set(name, { request, workers });
      return STARTED;
    });
  }

  look(works: readonly Work[]): Promise<ReadonlyMap<string, Look>> {
    return this.#world.call('look', () => {
      const looks = new Map<string, Look>();
      for (const { name } of works) {
        const work = this.#world.works.get(name);
        if (work !== undefined) looks.set(name, lookOf(work.workers));
      }
      return looks;
    });
  }

  end({ name }: Work, { signal }: EndOrder): Promise<boolean> {
    return this.#world.call('end', () => {
      const running = (this.#world.works.get(name)?.workers ?? []).filter(({ isOver }) => !isOver);
      if (this.#world.isOutOfReach || running.some(({ hasStarted }) => !hasStarted)) return false;
      for (const worker of running) worker.kill(signal);
      return true;
    });
  }

  remove(work: Work, job?: string): Promise<void> {
    const { name } = work;
    return this.#world.call('remove', () => {
      const owner = this.#world.works.get(name)?.request.owner;
      if (job !== undefined && !isOfJob(owner, work, job)) return;
      for (const worker of this.#world.works.get(name)?.workers ?? []) worker.kill();
      this.#world.works.delete(name);
      this.#world.tell(name);
    });
  }

  logs(workers: readonly Worker[], limitBytes: number): Promise<string> {
    return this.#world.call('logs', async () => {
      if (this.#world.output === 'refused') throw new PmanError('internal', 'cannot be read');
      if (this.#world.output === 'silent') await new Promise(() => undefined);
      return workers
        .map(({ id }) => excerpt(this.#worker(id)?.output ?? Buffer.alloc(0), limitBytes))
        .join('');
    });
  }

  follow({ id }: Worker, { from, signal, onOpen, write }: FollowOptions): Promise<void> {
    return this.#world.call('follow', async () => {
      const worker = this.#worker(id);
      if (worker === undefined) return;
      onOpen();
      for (let at = from; !signal.aborted; ) {
        const { isOver, output } = worker;
        if (output.length > at) await write(output.subarray(at));
        at = Math.max(at, output.length);
        if (isOver) return;
        await Promise.race([worker.grown(), once(signal, 'abort')]);
      }
    });
  }

  changes(onChange: (name: string) => void, { signal, onOpen }: ChangesOptions): Promise<void> {
    return this.#world.call('changes', async () => {
      if (this.#world.tellsNothing) throw awayError('changes');
      this.#world.listeners.add(onChange);
      onOpen();
      try {
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        this.#world.listeners.delete(onChange);
      }
    });
  }

  owner(name: string): Promise<NameOwner | undefined> {
    return this.#world.call('owner', () => {
      const work = this.#world.works.get(name);
      if (work === undefined) return undefined;
      const { job, instance } = work.request.owner;
      return { job, instance, isLive: async () => work.workers.some(({ isOver }) => !isOver) };
    });
  }

  #worker(id: string): MemoryWorker | undefined {
    return [...this.#world.works.values()]
      .flatMap(({ workers }) => workers)
      .find((worker) => worker.id === id);
  }
}

const STARTED: Started = { handle: { by: 'memory' }, printed: '' };

function refuse({ image, shareDir, options: { mounts = [] } }: WorkRequest): void {
  if (image.includes(' ')) throw new BadRequestError(`invalid reference format: ${image}`);
  if (image !== MEMORY_IMAGE) throw new PmanError('not_found', `no such image: ${image}`);
  const folders = [...(shareDir === undefined ? [] : [shareDir]), ...mounts.map((m) => m.source)];
  const missing = folders.find((folder) => !existsSync(folder));
  if (missing !== undefined)
    throw new BadRequestError(`the bind source path ${missing} does not exist`);
}

/** What a worker shows; `readMemoryShown` reads it. */
export const readMemoryShown: ReadShown = ({ exit }) =>
  exit === undefined
    ? undefined
    : {
        outcome: exit === 0 ? 'succeeded' : exit === null ? 'unknown' : 'failed',
        exitCode: typeof exit === 'number' ? exit : null,
      };

let nextId = 0;

class MemoryWorker {
  readonly id: string;
  output: Buffer = Buffer.alloc(0);
  hasStarted = false;
  isOver = false;
  exitCode: number | null = null;
  endedAt: number | undefined;
  cause: string | undefined;
  #child: ChildProcess | undefined;
  readonly #input: Buffer | undefined;
  #watchers: Array<() => void> = [];

  constructor(request: WorkRequest, index: number, world: MemoryWorld, input?: Buffer) {
    this.#input = input;
    nextId += 1;
    this.id = `w${nextId}`;
    void this.#run(request, index, world);
  }

  get asWorker(): Worker {
    const { id, exitCode, endedAt, cause } = this;
    const state = this.isOver ? 'ended' : this.hasStarted ? 'running' : 'waiting';
    const shown = { id, state, ...(this.isOver ? { exit: exitCode } : {}) };
    return { id, exitCode, endedAt, shown, ...(cause === undefined ? {} : { cause }) };
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    const pid = this.#child?.pid;
    if (this.isOver) return;
    if (pid === undefined) this.#end(null, causeOf('removed'));
    else {
      try {
        // As in a container: the signal is for the first process, its end is the end of all.
        process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
      } catch {
        // It has just ended.
      }
    }
  }

  /** Resolves when there is more output, or the end. */
  grown(): Promise<void> {
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  async #run({ name, cmd, shareDir, options }: WorkRequest, index: number, world: MemoryWorld) {
    await world.gate;
    if (this.isOver) return;
    // There is no file system of its own: the folder goes by its real name.
    const [program = '', ...words] = splitIntoWords(cmd).map((word) =>
      shareDir === undefined ? word : word.replaceAll('/share', shareDir),
    );
    const env = { PATH: process.env.PATH, ...options.env, WORKER: String(index) };
    // util-linux's `script` runs a command line on a terminal.
    const quoted = [program, ...words]
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ');
    const [file, args] = options.tty
      ? ['script', ['-qefc', quoted, '/dev/null']]
      : [program, words];
    const reads = this.#input === undefined ? 'ignore' : 'pipe';
    const { cwd } = options;
    const child = spawn(file, args, { detached: true, stdio: [reads, 'pipe', 'pipe'], env, cwd });
    // It may end without having read all of it.
    child.stdin?.on('error', () => undefined).end(this.#input);
    this.#child = child;
    this.hasStarted = true;
    world.tell(name);
    const oom = watchMemory(child.pid, options.limits);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.output = Buffer.concat([this.output, bytes]);
        this.#wake();
      });
    }
    child.once('error', (error) => this.#end(null, causeOf('command', error.message)));
    child.once('close', (code, signal) => {
      oom.stop();
      const exitCode = signal === null ? (code ?? 0) : 137;
      if (oom.hasKilled() && exitCode !== 0) this.#end(exitCode, memoryCause(exitCode, undefined));
      else if (signal !== null) this.#end(137, `ended by ${signal}`);
      else this.#end(code, code === 0 ? undefined : exitCause(code ?? 0));
      world.tell(name);
    });
  }

  #end(exitCode: number | null, cause: string | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.exitCode = exitCode;
    this.endedAt = Date.now();
    this.cause = cause;
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}

/** A small out-of-memory killer: looks every 10 ms how much the process group holds, and kills the largest of it. */
function watchMemory(group: number | undefined, limits: Limits = {}) {
  let killed = false;
  const { memoryBytes = Number.POSITIVE_INFINITY } = limits;
  const timer = setInterval(() => {
    if (group === undefined) return;
    const held = heldBytes(group);
    if (held.reduce((sum, { bytes }) => sum + bytes, 0) <= memoryBytes) return;
    killed = true;
    const [largest] = held.sort((a, b) => b.bytes - a.bytes);
    try {
      process.kill(largest?.pid ?? group, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }, 10);
  if (limits.memoryBytes === undefined) clearInterval(timer);
  return { stop: () => clearInterval(timer), hasKilled: () => killed };
}

function heldBytes(group: number): Array<{ readonly pid: number; readonly bytes: number }> {
  const held: Array<{ readonly pid: number; readonly bytes: number }> = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) !== group) continue;
      held.push({ pid: Number(pid), bytes: Number(fields[21]) * 4096 });
    } catch {
      // It has just ended.
    }
  }
  return held;
}

function lookOf(all: readonly MemoryWorker[]): Look {
  const workers = all.map(({ asWorker }) => asWorker);
  const deciding =
    all.find(({ hasStarted, isOver }) => hasStarted && !isOver) ??
    all.find(({ isOver }) => !isOver) ??
    all.find(({ exitCode }) => exitCode !== 0) ??
    all[0];
  const shown = deciding?.asWorker.shown ?? {};
  const cause = deciding?.cause === undefined ? {} : { cause: deciding.cause };
  const seen = { workers, shown, ...cause };
  if (all.every(({ isOver }) => isOver)) {
    const outcome = all.every(({ exitCode }) => exitCode === 0) ? 'succeeded' : 'failed';
    return { kind: 'ended', outcome, ...seen };
  }
  return { kind: all.some(({ hasStarted }) => hasStarted) ? 'running' : 'waiting', ...seen };
}

function excerpt(bytes: Buffer, limitBytes: number): string {
  if (bytes.length <= limitBytes) return bytes.toString();
  const half = Math.floor(limitBytes / 2);
  return `${bytes.subarray(0, half)}\n[… the middle is left out …]\n${bytes.subarray(-half)}`;
}
