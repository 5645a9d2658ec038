import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { type Answer, type ConnectionState, requestBytes, Wire } from '../helpers/http.ts';
import { builtProgram, makeFolders, TestServer } from '../helpers/startServer.ts';
import { observeEffects } from './effects.ts';
import { type AskedContainer, FakeDocker } from './fakeDocker.ts';
import { type AskedChange, FakeKube } from './fakeKube.ts';
import { fill, JobRoots, knownOf, knownRoots } from './placeholders.ts';
import { payloadOf, type RecordedRequest, type ServerCase } from './recording.ts';

/** What came back when a case was played. */
export interface Played {
  readonly asRecorded: ServerCase;
  /** The case with its placeholders filled in, as far as they are known after the answer. */
  readonly recorded: ServerCase;
  /** Null: the connection ended without an answer, or nothing was sent. */
  readonly answer: Answer | null;
  readonly connection: ConnectionState;
  /** What could be seen of the recorded effects. */
  readonly effect: Readonly<Record<string, unknown>>;
  /** The containers that the engine was asked for, where the recording tells. */
  readonly containers?: readonly AskedContainer[];
  /** All that the cluster was asked to change since the server began, where the recording tells. */
  readonly changes?: readonly AskedChange[];
  /** Whether the server answered a hello afterwards. */
  readonly served: boolean;
}

/** The body that the recorder would have sent after a "100 Continue". */
const CONTINUED_BODY =
  '{"payload": {"action": "hello", "meta": {"askAbout": "echoBack", "echoBack": "f"}}}';

/** How long a connection is watched for being closed behind an answer, in ms. */
const WATCH_MS = 30;

/** How long a whole answer may take, in ms: a synchronous run takes as long as its job. */
const ANSWER_MS = 20_000;

/** One server and the cases that were recorded with it. */
export class Session {
  readonly #server: TestServer;
  readonly #roots = new JobRoots();
  readonly #engine: FakeDocker | undefined;
  readonly #cluster: FakeKube | undefined;
  #kept: Wire | undefined;

  private constructor(
    server: TestServer,
    engine: FakeDocker | undefined,
    cluster: FakeKube | undefined,
  ) {
    this.#server = server;
    this.#engine = engine;
    this.#cluster = cluster;
  }

  /** Starts the program that the cases were recorded with, with the recorded flags and files. */
  static async start(recorded: ServerCase): Promise<Session> {
    const { program, flags, env, files = {} } = recorded.server;
    const port = await freePort();
    const folders = makeFolders();
    const known = knownOf(folders, port);
    const hasEngine = env.DOCKER_HOST !== undefined;
    const { KUBECFG_PATH: kubeconfig } = fill(env, known);
    const cluster = kubeconfig === undefined ? undefined : await FakeKube.start(kubeconfig);
    const engine = hasEngine ? await FakeDocker.start(join(folders.cwd, 'e.sock')) : undefined;
    for (const key of hasEngine ? ['key-1', 'key-9'] : []) {
      mkdirSync(join(folders.cwd, 'share', key), { recursive: true });
    }
    for (const [name, text] of Object.entries(fill(files, known))) writeFileSync(name, text);
    const server = new TestServer({
      command: builtProgram(program.split(' ')[0] ?? program),
      flags: ['--verbosity', '0', ...fill(flags, known)],
      // The recorded requests save copies beside the database (row D42).
      env: { PMAN_EXPORTPATH: dirname(folders.DBpath), ...fill(env, known) },
      folders,
      port,
    });
    await server.ready();
    return new Session(server, engine, cluster);
  }

  async close(): Promise<void> {
    this.#kept?.destroy();
    await this.#server.stop();
    this.#server.endJobs();
    await this.#engine?.close();
    await this.#cluster?.close();
  }

  /** Does what has to be done before, sends the request, looks at what comes back. */
  async play(recorded: ServerCase, next: ServerCase | undefined): Promise<Played> {
    if (!this.#server.isRunning) throw new Error('the server has ended');
    const { before } = recorded;
    if (before?.runJob) await this.#run(before.runJob);
    if (before?.waitJobDone) await this.#jobDone(before.waitJobDone);
    this.#prepareEngine(recorded);
    const seen =
      recorded.request.directiveFile === undefined
        ? await this.#exchange(recorded, next)
        : await this.#directive(recorded.request.directiveFile);
    const containers = await this.#containers(recorded);
    const changes = await this.#changes(recorded);
    const effect = await observeEffects(this.#filled(recorded), this.#server);
    const served = await this.#serves();
    return {
      asRecorded: recorded,
      recorded: this.#filled(recorded),
      ...seen,
      ...{ ...containers, ...changes },
      effect,
      served,
    };
  }

  #prepareEngine({ name, before }: ServerCase): void {
    if (this.#cluster !== undefined) {
      this.#cluster.hasJobs = before?.jobInCluster !== false;
      this.#cluster.hasSideContainers = !name.includes('without init and publish');
      // A time in a status: the recording has a placeholder for it, and its answer shows which one it was.
      const status = JSON.stringify(before?.jobStatusInCluster ?? this.#cluster.status);
      this.#cluster.status = JSON.parse(status.replaceAll('<datetime>Z', '2021-02-03T04:05:06Z'));
    }
    if (this.#engine === undefined) return;
    if (before?.managerState !== undefined) this.#engine.state = before.managerState;
    if (before?.appLogs !== undefined) this.#engine.appLogs = before.appLogs;
    this.#engine.refusesContainers = name.includes('manager container fails to start');
    this.#engine.asked.length = 0;
  }

  /** Waits for as many containers as were recorded: some are asked for behind the answer. */
  async #containers({ dockerApi }: ServerCase): Promise<Pick<Played, 'containers'>> {
    if (dockerApi === undefined || this.#engine === undefined) return {};
    const { asked } = this.#engine;
    const count = dockerApi.filter(({ path }) => path === '/containers/create').length;
    const message = `${count} containers to be asked for`;
    await eventually(() => asked.length >= count, { timeoutMs: 10_000, message });
    return { containers: [...asked] };
  }

  /** Waits until the cluster was asked for all that was recorded: some is asked for behind the answer. */
  async #changes({ kubeApi, server }: ServerCase): Promise<Pick<Played, 'changes'>> {
    const cluster = this.#cluster;
    if (kubeApi === undefined || cluster === undefined) return {};
    const hasClaims = server.env.STORAGE_TYPE === 'swift';
    const wanted = kubeApi.filter(
      ({ method, path }) =>
        method === 'POST' || (method === 'DELETE' && (hasClaims || path.includes('/jobs/'))),
    );
    const isAsked = ({ method, path, body }: (typeof wanted)[number]) =>
      cluster.asked.some(
        (one) => one.method === method && one.path === path && nameIn(one.body) === nameIn(body),
      );
    const message = `the cluster to be asked for ${wanted.map(({ path }) => path).join(', ')}`;
    await eventually(() => wanted.every(isAsked), { timeoutMs: 10_000, message });
    return { changes: [...cluster.asked] };
  }

  /** The same case once more, on a connection of its own, without what comes before. */
  again(recorded: ServerCase): Promise<Played> {
    const { before: _, ...alone } = recorded;
    return this.play(alone, undefined);
  }

  #filled<T>(value: T): T {
    const { folders, port } = this.#server;
    return fill(fill(value, knownOf(folders, port)), knownRoots(this.#roots));
  }

  async #exchange(recorded: ServerCase, next: ServerCase | undefined) {
    const { request } = recorded;
    const isRun = payloadOf(recorded).action === 'run';
    const jobs = this.#roots.names.length;
    const wire = this.#kept ?? (await Wire.open(this.#server.port));
    this.#kept = undefined;
    try {
      await wire.send(this.#bytes(request), { pieces: this.#pieces(request), gapMs: 50 });
      const toHead = request.method === 'HEAD';
      let answer = await wire.answer({ timeoutMs: ANSWER_MS, toHead });
      while (answer && answer.status < 200) {
        await wire.send(CONTINUED_BODY);
        answer = await wire.answer({ timeoutMs: ANSWER_MS, toHead });
      }
      const connection = await wire.settled(WATCH_MS);
      this.#roots.note(answer?.text ?? '');
      if (next?.before?.sameConnectionAsPrevious && connection === 'open') this.#kept = wire;
      const isJob = isRun && request.method === 'POST' && answer?.status === 200;
      if (isJob) await this.#registered(jobs + 1);
      return { answer, connection };
    } finally {
      if (this.#kept !== wire) wire.destroy();
    }
  }

  #bytes(recorded: RecordedRequest): Buffer {
    const { raw, method = '', path = '', headers = [], body } = this.#filled(recorded);
    if (raw !== undefined) return Buffer.from(raw);
    const changed = body !== recorded.body;
    const length = String(Buffer.byteLength(body ?? ''));
    const pairs = headers.map(([name, value]): [string, string] =>
      changed && name === 'Content-Length' ? [name, length] : [name, value],
    );
    const head = requestBytes(method, path, { headers: pairs });
    return Buffer.concat([head, Buffer.from(body ?? '')]);
  }

  /** Recorded with a port of four digits, which stands before the first cut. */
  #pieces({ segments = [] }: RecordedRequest): number[] {
    const longer = String(this.#server.port).length - 4;
    return segments.map((size, i) => (i === 0 ? size + longer : size));
  }

  /** Writes a directive file and waits until it is taken and obeyed. */
  async #directive(content: unknown) {
    const { directiveFile } = this.#server.folders;
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const jobs = this.#roots.names.length;
    writeFileSync(`${directiveFile}.new`, text);
    renameSync(`${directiveFile}.new`, directiveFile);
    const taken = () => !existsSync(directiveFile);
    const message = 'the directive file to be taken';
    if (typeof content === 'string') {
      // No JSON: the original never takes it, we move it aside when it stays as it is.
      await eventually(taken, { timeoutMs: 8000, message }).catch(() => undefined);
    } else {
      await eventually(taken, { message });
      if (text.includes('clear')) await eventually(async () => (await this.#listed()).length === 0);
      else await this.#registered(jobs + 1);
    }
    return { answer: null, connection: 'open' as const };
  }

  /** Puts things back that a case left and the next one does not expect. */
  tidy(recorded: ServerCase): void {
    if (typeof recorded.request.directiveFile !== 'string') return;
    rmSync(this.#server.folders.directiveFile, { force: true });
  }

  async #run(meta: object): Promise<void> {
    const jobs = this.#roots.names.length;
    await this.#server.post('run', meta);
    await this.#registered(jobs + 1);
  }

  /** Names of the job roots that the server lists now. */
  async #listed(): Promise<string[]> {
    const answer = await this.#server.request('GET', '/api/v1');
    this.#roots.note(answer.text);
    return Object.keys((answer.json() as { readonly GET?: object }).GET ?? {});
  }

  async #registered(count: number): Promise<void> {
    const seen = async () => {
      await this.#listed();
      return this.#roots.names.length >= count;
    };
    await eventually(seen, { message: `job ${count} of this server to be listed` });
  }

  /** Waits until every job of that jid shows the marker that stands behind its last part. */
  async #jobDone(jid: string): Promise<void> {
    const isDone = async () => {
      const reply = await this.#server.post('info', { key: 'jid', value: jid });
      const ends = Object.entries(reply.d_ret ?? {}).filter(([key]) => key.endsWith('.1'));
      const done = ends.filter(([, hit]) => JSON.stringify(hit).includes('"allJobsDone":true'));
      return ends.length > 0 && done.length === ends.length;
    };
    const message = `job ${jid} to be done`;
    await eventually(isDone, { timeoutMs: 20_000, pollMs: 100, message });
  }

  async #serves(): Promise<boolean> {
    if (!this.#server.isRunning) return false;
    try {
      return (await this.#server.request('GET', '/api/v1', { timeoutMs: 4000 })).status > 0;
    } catch {
      return false; // refused, reset or silent: it does not serve
    }
  }
}

/** The name of an object of the cluster. */
export function nameIn(object: unknown): unknown {
  return (object as { readonly metadata?: { readonly name?: unknown } } | null)?.metadata?.name;
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
