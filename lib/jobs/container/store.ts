import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, PmanError, systemErrorCode } from '../../errors.ts';
import { replaceFile } from '../../host/atomicFile.ts';
import { makeFolder } from '../../host/folders.ts';
import { requireHeld } from '../../host/heldFolders.ts';
import { PRIVATE } from '../../host/rights.ts';
import type { Logger } from '../../log.ts';
import { inOrder, isJobRoot } from '../../records/jobRoot.ts';
import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../wire/json.ts';
import { dumps } from '../../wire/pythonJson.ts';
import { textMap } from '../../wire/textMap.ts';
import { isContainerRecord } from '../recordKinds.ts';
import type { ContainerLimits } from '../runLimits.ts';
import type { ContainerRecordJob } from './containerRecord.ts';
import type { WorkRequest } from './engine.ts';
import type { ContainerJobState } from './job.ts';

/** All that is needed to go on with a container job. */
export interface StoredJob {
  readonly job: ContainerRecordJob;
  readonly request: WorkRequest;
  readonly limits: ContainerLimits;
  readonly state: ContainerJobState;
}

/**
 * A file for each container job that has not ended, `<job root>.json`: a line with all that it is, then one for each state that
 * it has come to. Beside it `<job root>.stdin`, where it has something to read. A line more costs a fraction of what a new
 * file in place of the old one does (docs/decisions/0030-many-containers.md).
 */
export class ContainerJobStore {
  readonly #folder: string;
  readonly #fsync: boolean;
  readonly #log: Logger;
  /** Whose files end with a whole line, as far as this process has written them. */
  readonly #whole = new Set<string>();

  constructor(folder: string, fsync: boolean, log: Logger) {
    this.#folder = folder;
    this.#fsync = fsync;
    this.#log = log;
    makeFolder(folder, PRIVATE.folder);
  }

  /** When it returns, a crash does not lose the job; with `fsync` a power failure does not, either. */
  write(root: string, { job, request, limits, state }: StoredJob): void {
    const stored = { job, request, state, ...limits };
    this.#whole.delete(root);
    const text = lineOf(stored as unknown as JsonValue); // its members are
    replaceFile(this.#file(root), text, { fsync: this.#fsync });
    this.#whole.add(root);
  }

  /** The same for a job that was written before, and has come to another state. */
  writeState(root: string, stored: StoredJob): void {
    // Behind a line that the disk took in part only nothing more may stand.
    if (!this.#whole.delete(root) || !this.#append(root, stored.state)) this.write(root, stored);
    else this.#whole.add(root);
  }

  /** @returns whether there is a file to write to */
  #append(root: string, state: ContainerJobState): boolean {
    requireHeld(this.#folder);
    let fd: number;
    try {
      const how = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
      fd = openSync(this.#file(root), how);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
    try {
      writeFileSync(fd, lineOf({ state } as unknown as JsonValue)); // its members are
      if (this.#fsync) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return true;
  }

  /** Before the job itself is written: what is read by a job that was accepted is not lost. */
  writeInput(root: string, input: Buffer): void {
    replaceFile(this.#inputFile(root), input, { fsync: this.#fsync });
  }

  /** @throws PmanError storage when it cannot be read */
  readInput(root: string): Buffer {
    try {
      return readFileSync(this.#inputFile(root));
    } catch (error) {
      const reason = messageOf(error);
      throw new PmanError('storage', `the input of the job cannot be read: ${reason}`, {
        cause: error,
      });
    }
  }

  remove(root: string): void {
    requireHeld(this.#folder);
    this.#whole.delete(root);
    rmSync(this.#file(root), { force: true });
    rmSync(this.#inputFile(root), { force: true });
  }

  /** The jobs that have not ended, oldest first. A file that is none is moved aside. */
  read(): ReadonlyMap<string, StoredJob> {
    const jobs = new Map<string, StoredJob>();
    const all = readdirSync(this.#folder);
    const names = all.filter((name) => name.endsWith('.json'));
    const roots = names.map((name) => name.slice(0, -'.json'.length)).filter(isJobRoot);
    for (const name of all) {
      // pman ended before it had accepted the job.
      const root = name.endsWith('.stdin') ? name.slice(0, -'.stdin'.length) : undefined;
      if (root !== undefined && isJobRoot(root) && !roots.includes(root)) this.remove(root);
    }
    for (const root of inOrder(roots)) {
      try {
        jobs.set(root, storedJob(root, lastOf(readFileSync(this.#file(root), 'utf8'))));
      } catch (error) {
        this.#log.warn('a container job cannot be read and was moved aside', {
          job: root,
          reason: messageOf(error),
        });
        renameSync(this.#file(root), join(this.#folder, `${root}.unreadable`));
      }
    }
    return jobs;
  }

  #inputFile(root: string): string {
    return join(this.#folder, `${root}.stdin`);
  }

  #file(root: string): string {
    return join(this.#folder, `${root}.json`);
  }
}

const lineOf = (value: JsonValue) => `${dumps(value)}\n`;

/**
 * What a file tells of its job: its first line, with the state of the last line that is whole.
 * @throws SyntaxError for a first line that is none
 */
function lastOf(text: string): JsonValue {
  const [first = '', ...later] = text.split('\n');
  const stored = parseJson(first);
  if (!isJsonObject(stored)) return stored;
  for (const line of later.reverse()) {
    const said = line === '' ? undefined : parsedOrUndefined(line);
    if (isJsonObject(said) && said.state !== undefined) return { ...stored, state: said.state };
  }
  return stored;
}

/** Undefined for a line that pman, or the machine, ended in the middle of. */
function parsedOrUndefined(line: string): JsonValue | undefined {
  try {
    return parseJson(line);
  } catch {
    return undefined; // it is no JSON
  }
}

function storedJob(root: string, value: JsonValue): StoredJob {
  const { timeoutMs, maxOutputBytes, ...stored } = storedSchema.parse(
    isJsonObject(value) && 'stage' in value ? fromOlder(root, value) : value,
  );
  return { ...stored, limits: { timeoutMs, maxOutputBytes } };
}

const json = z.custom<JsonObject>((value) => isJsonObject(value as JsonValue));
const texts = textMap(z.string(), 'is not an object of strings');
const started = { handle: json, since: z.number() };

const storedSchema = z.object({
  job: z.object({
    ...{ meta: json, container: json },
    ...{ cmdMgr: z.string(), cmd: z.string(), auid: z.string(), jid: z.string() },
    trace: z
      .object({ traceparent: z.string(), tracestate: z.string().exactOptional() })
      .exactOptional(),
  }),
  request: z.object({
    ...{ name: z.string(), image: z.string(), cmd: z.string() },
    shareDir: z.string().exactOptional(),
    owner: z.object({
      ...{ job: z.string(), instance: z.string() },
      ...{ jid: z.string(), auid: z.string() },
    }),
    options: z.object({
      env: texts.exactOptional(),
      mounts: z
        .array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() }))
        .exactOptional(),
      user: z.string().exactOptional(),
      cwd: z.string().exactOptional(),
      labels: texts.exactOptional(),
      workers: z.number().exactOptional(),
      tty: z.boolean().exactOptional(),
      limits: z
        .object({
          cpus: z.number().exactOptional(),
          memoryBytes: z.number().exactOptional(),
          gpus: z.number().exactOptional(),
        })
        .exactOptional(),
    }),
    timeoutMs: z.number().exactOptional(),
    input: z.object({ bytes: z.number(), isText: z.boolean() }).exactOptional(),
    manager: z.object({ image: z.string(), app: z.string() }).exactOptional(),
  }),
  timeoutMs: z.number().optional(),
  maxOutputBytes: z.number().optional(),
  state: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('accepted') }),
    z.object({ kind: z.literal('awaitingFolder'), folder: z.string() }),
    z.object({ kind: z.literal('starting') }),
    z.object({ kind: z.literal('running'), ...started }),
    z.object({
      kind: z.literal('ending'),
      cause: z.string(),
      orderedAt: z.number().optional(),
      work: z.object(started).optional(),
    }),
  ]),
});

/** Version 3.0.0 wrote a stage instead of the state, and the labels of a Docker Engine instead of the owner. */
function fromOlder(root: string, value: JsonObject): JsonObject {
  const { job, request, manager, stage, scheduledAt, killed, awaitedFolder, timeoutMs } = value;
  const { service, labels, ...rest } = isJsonObject(request) ? request : {};
  const label = (name: string) =>
    (isJsonObject(labels) ? labels[`org.fnndsc.pman.${name}`] : undefined) ?? '';
  const { workers } = isJsonObject(rest.options) ? rest.options : {};
  const handle =
    manager === undefined ? {} : { manager, ...(workers === undefined ? {} : { workers }) };
  const work = stage === 'scheduled' ? { handle, since: scheduledAt ?? 0 } : undefined;
  const waiting =
    awaitedFolder === undefined
      ? { kind: 'accepted' }
      : { kind: 'awaitingFolder', folder: awaitedFolder };
  const unkilled = work === undefined ? { kind: 'starting' } : { kind: 'running', ...work };
  const live =
    killed === undefined
      ? unkilled
      : { kind: 'ending', cause: killed, ...(work === undefined ? {} : { work }) };
  return {
    ...{ job: job ?? null, state: stage === 'accepted' ? waiting : live },
    request: {
      ...rest,
      name: service ?? null,
      owner: { job: root, instance: label('instance'), jid: label('jid'), auid: label('auid') },
      ...(manager === undefined ? {} : { manager }),
    },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** What a record alone tells of a container job that was started; undefined for another record. */
export function storedFromRecord(root: string, record: TreeNode): StoredJob | undefined {
  const text = (...path: readonly string[]) => {
    const value = record.cat(path);
    return typeof value === 'string' ? value : '';
  };
  const name = text('container', 'manager', 'env', 'serviceName');
  const container = record.node(['container'])?.toJson();
  if (!isContainerRecord(record) || name === '' || !isJsonObject(container)) return undefined;
  const [cmd, auid, jid] = [text('cmd'), text('auid'), text('jid')];
  const image = text('container', 'target', 'image');
  return {
    job: { meta: {}, container, cmdMgr: '', cmd, auid, jid },
    request: { name, image, cmd, owner: { job: root, instance: '', jid, auid }, options: {} },
    limits: {},
    state: { kind: 'running', handle: {}, since: 0 },
  };
}
