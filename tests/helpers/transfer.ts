import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BIN = join(import.meta.dirname, '../../dist/bin');

/** Waits until a condition holds; fails saying what did not happen. */
export async function eventually(
  what: string,
  holds: () => boolean,
  limitMs = 15_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly input?: string;
  /** The user it runs as. */
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of the programs, in place of dist/bin. */
  readonly bin?: string;
}

/** What a test opened; `close` ends it all, last first. */
export class Opened {
  readonly #closers: (() => Promise<void> | void)[] = [];

  onClose(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0).reverse()) await closer();
  }

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'transfer-test-'));
    this.onClose(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** Starts one of the built programs. */
  start(name: string, args: readonly string[], options: StartOptions = {}): Program {
    const child = spawn(process.execPath, [join(options.bin ?? BIN, `${name}.js`), ...args], {
      cwd: options.cwd ?? tmpdir(),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        text[stream] += chunk;
      });
    }
    child.stdin.on('error', () => {}); // It may end without reading.
    child.stdin.end(options.input ?? '');
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code) => resolve({ code, ...text }));
    });
    this.onClose(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, ended, stdout: () => text.stdout, stderr: () => text.stderr };
  }

  purl(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.start('purl', args, options).ended;
  }

  /** Runs purl with a pushPath or pullPath message, and reads its report. */
  async transfer(
    address: string,
    action: string,
    options: TransferOptions,
    flags: readonly string[] = [],
  ): Promise<Ended & { readonly report: Readonly<Record<string, unknown>> }> {
    const message = transferMessage(action, options);
    const how = ['--quiet', '--fail', ...flags];
    const ended = await this.purl([...how, '--http', address, '--msg', message]);
    const answer = JSON.parse(ended.stdout || '{}') as { stdout?: Record<string, unknown> };
    return { ...ended, report: answer.stdout ?? {} };
  }

  /** A pfioh on a free port. */
  async pfioh(
    args: readonly string[] = [],
    options: StartOptions & { readonly once?: boolean } = {},
  ): Promise<Program & { readonly address: string }> {
    const forever = options.once === true ? [] : ['--forever'];
    const program = this.start('pfioh', ['--port', '0', ...forever, '-v', '0', ...args], options);
    await eventually('pfioh listens', () => /listening on \S+/.test(program.stdout()));
    const address = /listening on http:\/\/(\S+)/.exec(program.stdout())?.[1] ?? '';
    return { ...program, address };
  }
}

export interface TransferOptions {
  readonly local: string;
  readonly remote: string | { readonly key: string };
  readonly archive?: string;
  readonly encoding?: string;
  readonly unpack?: boolean;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The text of a pushPath or pullPath message. */
export function transferMessage(action: string, options: TransferOptions): string {
  const {
    local,
    remote,
    archive = 'zip',
    encoding = 'none',
    unpack = archive === 'zip',
    extra = {},
  } = options;
  return JSON.stringify({
    action,
    meta: {
      local: { path: local },
      remote: typeof remote === 'string' ? { path: remote } : remote,
      transport: {
        mechanism: 'compress',
        compress: { ...(encoding === '' ? {} : { encoding }), archive, unpack, cleanup: true },
      },
      ...extra,
    },
  });
}

/** All there is in a folder: kind, mode, time in microseconds, content. */
export function treeOf(root: string, name = ''): Record<string, string> {
  const path = join(root, name);
  const stats = lstatSync(path, { bigint: true });
  const time = stats.mtimeNs / 1000n;
  const mode = (stats.mode & 0o7777n).toString(8);
  if (stats.isSymbolicLink()) return { [name]: `link to ${readlinkSync(path)}` };
  if (stats.isFile()) {
    const hash = digestOf(path);
    return { [name]: `file ${mode} ${time} ${stats.size} ${hash}` };
  }
  const children = readdirSync(path)
    .sort()
    .map((child) => treeOf(root, name === '' ? child : `${name}/${child}`));
  return Object.assign({ [name]: `folder ${mode} ${time}` }, ...children) as Record<string, string>;
}

/** Read in pieces: the file may be larger than a buffer can be. */
function digestOf(path: string): string {
  const hash = createHash('sha256');
  const fd = openSync(path, 'r');
  const chunk = Buffer.alloc(4 * 1024 * 1024);
  for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
    hash.update(chunk.subarray(0, read));
  }
  closeSync(fd);
  return hash.digest('hex').slice(0, 12);
}
