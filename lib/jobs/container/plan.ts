import { posix } from 'node:path';
import { z } from 'zod';
import { BadRequestError } from '../../errors.ts';
import { memoryBytesOf, processorsOf } from '../../quantity.ts';
import { ExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import { problemsText } from '../../wire/problems.ts';
import { textMap, variables } from '../../wire/textMap.ts';
import { echoForm } from '../echoForm.ts';
import type { Limits, ManagerImage, ShareRule, WorkOptions } from './engine.ts';
import { splitIntoWords } from './words.ts';

/** A container job as a request asks for it. */
export interface ContainerPlan {
  /** `meta` as the record shows it: with the echo form and the name (protocol g). */
  readonly meta: JsonObject;
  readonly container: JsonObject;
  /** The name that the engine is to keep it under. */
  readonly name: string;
  readonly image: string;
  readonly cmd: string;
  readonly manager: ManagerImage | undefined;
  /** The folder that is waited for, on pman's own file system. */
  readonly awaitedFolder: string | undefined;
  /** The folder that the container gets, on the engine's host. */
  readonly shareDir: string | undefined;
  readonly options: WorkOptions;
}

export interface JobMeta {
  readonly rawMeta: JsonObject;
  readonly container: JsonObject;
  readonly cmd: string;
  readonly jid: string;
}

const text = z.string('is not a string').refine((value) => !value.includes('\0'), 'holds a NUL');
const words = textMap(text, 'is not an object of strings');

const containerSchema = z.looseObject({
  target: z.looseObject({
    image: text.min(1, 'is empty'),
    env: variables(text).optional(),
    labels: words.optional(),
    user: text.optional(),
    mounts: z
      .array(
        z.looseObject({
          source: text.min(1),
          target: text.startsWith('/', 'is no path in the container'),
          readOnly: z.boolean().default(true),
        }),
      )
      .optional(),
  }),
  tty: z.boolean().optional(),
  manager: z
    .looseObject({
      image: text.optional(),
      app: text.default('swarm.py'),
      env: z.looseObject({ shareDir: text.optional(), serviceName: text.optional() }).optional(),
    })
    .optional(),
});

/** The leaves of the container node that are not the client's. */
const OUR_LEAVES: readonly string[] = [
  ...['state', 'logs', 'outputs', 'currentState', 'cause', 'tasks', 'endstamp'],
];

/**
 * Reads what a container job is to run, where, and with what.
 * @param shareRule what the engine makes of a shareDir
 * @throws BadRequestError naming the member that does not fit
 */
export function planContainer(job: JobMeta, shareRule: ShareRule): ContainerPlan {
  const parsed = containerSchema.safeParse(job.container);
  if (!parsed.success) {
    const problems = problemsText(
      parsed.error.issues,
      ({ path, message }) => `"meta.container.${path.join('.')}": ${message}`,
    );
    throw new BadRequestError(`run: ${problems}`);
  }
  // The original's manager refuses it too; an engine would run what the image has been made for.
  if (job.cmd === '') throw new BadRequestError('run: "meta.cmd": is empty');
  const { target, manager } = parsed.data;
  const cmd = job.rawMeta.shell === true ? inShell(job.cmd) : job.cmd;
  splitIntoWords(cmd); // what no engine can start is refused here
  const name = manager?.env?.serviceName || job.jid;
  const { awaited, shareDir } = shareRule(manager?.env?.shareDir, job.jid || name);
  const container = withServiceName(job.container, name);
  return {
    meta: { ...job.rawMeta, cmd: echoForm(job.cmd), container },
    container,
    name,
    image: target.image,
    cmd,
    manager: manager?.image ? { image: manager.image, app: manager.app } : undefined,
    awaitedFolder: awaited,
    shareDir,
    options: { ...optionsOf(target, job.rawMeta), ...(parsed.data.tty && { tty: true }) },
  };
}

/** The words of a command line that the image's shell runs as a whole. */
const inShell = (line: string) => `/bin/sh -c '${line.replaceAll("'", "'\\''")}'`;

/**
 * A folder of the engine's host, under the same name on pman's own.
 * @param storeBase the folder of the engine's host that stands for the parent of every shareDir (STOREBASE)
 */
export function sharedFolders(storeBase: string | undefined): ShareRule {
  return (asked) => {
    const folder = sharedFolder(asked);
    if (folder === undefined) return {};
    const shareDir = storeBase ? posix.join(storeBase, posix.basename(folder)) : folder;
    return { awaited: folder, shareDir };
  };
}

/**
 * The folder that is shared, without dots and doubled slashes: its name is looked for below STOREBASE, and `..` would
 * be the folder above.
 */
function sharedFolder(shareDir: string | undefined): string | undefined {
  if (shareDir === undefined || /^\/*$/.test(shareDir)) return undefined;
  const folder = absolutePath('manager.env.shareDir', shareDir);
  if (folder !== '/') return folder;
  throw new BadRequestError(
    `run: "meta.container.manager.env.shareDir": ${shown(shareDir)} is the root folder`,
  );
}

/** What engines take for the name of a volume; any other source is a path. */
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** What is mounted, as the engine gets it: a folder of its host by its shortest path, or a volume by its name. */
function mountSource(source: string): string {
  return VOLUME_NAME.test(source) ? source : absolutePath('target.mounts', source);
}

/** pman and the engine would each look for a relative path somewhere else. */
function absolutePath(member: string, path: string): string {
  if (path.startsWith('/')) return posix.normalize(path).replace(/(?<=.)\/+$/, '');
  throw new BadRequestError(`run: "meta.container.${member}": ${shown(path)} is no absolute path`);
}

const shown = (path: string) => JSON.stringify(path.slice(0, 80));

function withServiceName(container: JsonObject, serviceName: string): JsonObject {
  const manager = isJsonObject(container.manager) ? container.manager : {};
  const env = isJsonObject(manager.env) ? manager.env : {};
  const kept = Object.entries(container).filter(([name]) => !OUR_LEAVES.includes(name));
  return {
    ...Object.fromEntries(kept),
    manager: { ...manager, env: { ...env, serviceName } },
  };
}

function optionsOf(
  { env, labels, user, mounts }: z.infer<typeof containerSchema>['target'],
  meta: JsonObject,
): WorkOptions {
  const limits = limitsOf(meta);
  const workers = wholeNumber(meta, 'number_of_workers') ?? 1;
  if (workers < 1 || workers > 1000) {
    throw new BadRequestError('run: "meta.number_of_workers": is not between 1 and 1000');
  }
  return {
    ...(env && { env }),
    ...(labels && { labels }),
    ...(user && { user }),
    ...(mounts && { mounts: mounts.map((one) => ({ ...one, source: mountSource(one.source) })) }),
    ...(workers === 1 ? {} : { workers }),
    ...(limits && { limits }),
  };
}

function limitsOf(meta: JsonObject): Limits | undefined {
  const cpus = cpuLimit(meta);
  const memoryBytes = memoryLimit(meta);
  const gpus = wholeNumber(meta, 'gpu_limit') || undefined;
  if (cpus === undefined && memoryBytes === undefined && gpus === undefined) return undefined;
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(gpus === undefined ? {} : { gpus }),
  };
}

function cpuLimit(meta: JsonObject): number | undefined {
  const value = limitText(meta.cpu_limit);
  if (value === undefined) return undefined;
  const processors = processorsOf(value);
  if (processors === undefined) throw notALimit('cpu_limit', value, '500m, 0.5 or 2');
  return processors || undefined;
}

function memoryLimit(meta: JsonObject): number | undefined {
  const value = limitText(meta.memory_limit);
  if (value === undefined) return undefined;
  const bytes = memoryBytesOf(value);
  if (bytes === undefined) throw notALimit('memory_limit', value, '200Mi or 1G');
  return bytes || undefined;
}

function wholeNumber(meta: JsonObject, name: string): number | undefined {
  const value = limitText(meta[name]);
  if (value === undefined) return undefined;
  if (!/^\d{1,6}$/.test(value)) throw notALimit(name, value, 'a whole number');
  return Number(value);
}

function limitText(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (value instanceof ExactNumber) return value.text;
  return typeof value === 'object' ? JSON.stringify(value) : String(value).trim();
}

function notALimit(name: string, value: string, example: string): BadRequestError {
  return new BadRequestError(
    `run: "meta.${name}": ${JSON.stringify(value.slice(0, 80))} is not of the form ${example}`,
  );
}
