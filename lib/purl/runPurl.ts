import type { Readable, Writable } from 'node:stream';
import type { PurlConfig } from '../config/purl.ts';
import { BadRequestError } from '../errors.ts';
import { terminalText } from '../terminalText.ts';
import { parseJsonOrUndefined, reformatJson } from '../transfer/jsonText.ts';
import { VERSION } from '../version.ts';
import { parseJson } from '../wire/json.ts';
import { dumpsSorted } from '../wire/pythonJson.ts';
import { clientOptions } from './clientOptions.ts';
import { EXIT_CODES, type FailureKind, PurlFailure } from './failure.ts';
import { fetchUrl } from './fetch.ts';
import type { ClientOptions } from './http/httpClient.ts';
import { parseTarget } from './http/target.ts';
import { actionOf, EMPTY_MESSAGE, type Message, parseMessage, resolveText } from './jsonMessage.ts';
import { MANUAL, synopsis } from './manual.ts';
import { jsonProgress, type Progress, silentProgress, terminalProgress } from './progressBar.ts';
import { safeOutput } from './safeOutput.ts';
import { type Outcome, talk } from './talk.ts';
import { parseTransfer } from './transferMessage.ts';
import { transferPath } from './transferPath.ts';

/** What a run of purl reads and writes. */
export interface PurlIo {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** The name purl was called by. */
  readonly name: string;
  readonly signal?: AbortSignal;
}

/**
 * Does what the command line asks for and resolves to the exit status. The answer goes to standard
 * output and everything else to standard error.
 */
export async function runPurl(config: PurlConfig, io: PurlIo): Promise<number> {
  try {
    const page = information(config, io.name);
    if (page !== undefined) {
      io.stdout.write(page);
      return 0;
    }
    return await act(config, { ...io, stdout: safeOutput(io.stdout) });
  } catch (error) {
    if (!(error instanceof PurlFailure)) throw error;
    return failed(error, io);
  }
}

function information({ man, synopsis: short, desc, version }: PurlConfig, name: string) {
  if (short) return synopsis(name, VERSION);
  if (desc) return `${synopsis(name, VERSION)}\n${[...MANUAL.values()].join('\n')}`;
  if (version) return `Version: ${VERSION}\n`;
  if (man === '') return undefined;
  const page = MANUAL.get(man);
  if (page !== undefined) return page;
  throw new PurlFailure('usage', `--man ${man}: the pages are ${[...MANUAL.keys()].join(', ')}`);
}

async function act(config: PurlConfig, io: PurlIo): Promise<number> {
  const url = parseTarget(config.http);
  const client = await clientOptions(config, io.stdin);
  const { signal, name } = io;
  const trace = tracer(config, io);
  const progress = progressFor(config, io);
  if (config.msg === '') {
    // purl 1.6.2: without a message it is a GET, whatever --verb says; POST is only the default here.
    const verb = config.verb === 'POST' ? 'GET' : config.verb;
    trace('tx', `${verb} ${url.href}`);
    return plain({ url, verb, client, progress, signal, name }, config, io);
  }
  const message = await readMessage(config, io);
  trace('tx', `${url.href}\n   ${message.text}`);
  const outcome = await operate(message, { url, client, signal, progress, name }, config);
  trace('rx', `${outcome.text.length} characters`);
  io.stdout.write(`${printed(outcome.text, config.jsonpprintindent, isPfurl(name))}\n`);
  return statusOf(outcome, config, io);
}

/**
 * The message that a command line names. Programs that read the report call purl with --quiet: there
 * what is not JSON is sent as an empty message, as purl 1.6.2 does, and said on standard error.
 */
async function readMessage({ msg, quiet, fail }: PurlConfig, io: PurlIo): Promise<Message> {
  const message = parseMessage(await resolveText(msg, io.stdin));
  if (!('fault' in message)) return message;
  if (!quiet || fail) throw new PurlFailure('usage', message.fault);
  io.stderr.write(`${io.name}: ${message.fault}; an empty message is sent\n`);
  return EMPTY_MESSAGE;
}

const isPfurl = (name: string) => name.startsWith('pfurl');
const PFURL_INDENT = 4;

/** The text of a report as it is shown; pfurl indents and puts the keys in order. */
function printed(text: string, indent: number, sorted: boolean): string {
  if (!sorted) {
    const pretty = indent > 0 && parseJsonOrUndefined(text) !== undefined;
    return pretty ? reformatJson(text, indent) : text;
  }
  try {
    return dumpsSorted(parseJson(text), indent > 0 ? indent : PFURL_INDENT);
  } catch (error) {
    if (error instanceof BadRequestError) return text; // An answer that is no JSON.
    throw error;
  }
}

/** How long a transfer may stand still. A message may wait for the end of a job. */
const TRANSFER_IDLE_MS = 60_000;

interface Way {
  readonly url: URL;
  readonly client: ClientOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  readonly name: string;
}

async function operate(message: Message, way: Way, config: PurlConfig): Promise<Outcome> {
  const { verb, raw, jsonwrapper, contentType } = config;
  if (/path/i.test(actionOf(message))) {
    const { oneShot, resume, timeout = TRANSFER_IDLE_MS } = config;
    const { progress, name } = way;
    const client = { ...way.client, idleTimeoutMs: timeout };
    return transferPath(parseTransfer(message), {
      way: { ...way, client, patient: config.timeout === undefined },
      raw,
      jsonwrapper,
      oneShot,
      resume,
      isPfurl: isPfurl(name),
      progress,
    });
  }
  return talk(message, { ...way, verb, raw, jsonwrapper, contentType });
}

async function plain(way: Way & { verb: string }, config: PurlConfig, io: PurlIo) {
  const indent = config.jsonpprintindent;
  if (indent > 0) {
    const chunks: string[] = [];
    const { Writable } = await import('node:stream');
    const memory = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk.toString('latin1'));
        done();
      },
    });
    await fetchUrl({ ...way, to: memory });
    const text = Buffer.from(chunks.join(''), 'latin1').toString('utf8');
    const isJson = parseJsonOrUndefined(text) !== undefined;
    io.stdout.write(isJson ? `${reformatJson(text, indent)}\n` : text);
    return 0;
  }
  await fetchUrl({ ...way, to: config.output === '' ? io.stdout : config.output });
  return 0;
}

/**
 * What ends with 0 with --quiet, because the report tells it. Of a transfer that is a path that was looked at and is not
 * right; when the other side could not be asked, or refused to tell, nothing is known of its path.
 */
const REPORTED = {
  message: ['resolve', 'connect', 'httpStatus', 'badAnswer'],
  transfer: ['wrongPath'],
} as const satisfies Record<Outcome['what'], readonly FailureKind[]>;

/**
 * purl 1.6.2 ends with 0 whatever the report says. Programs that read the report call it with
 * --quiet, so there a failure that the report tells keeps that status, unless --fail is given.
 */
function statusOf({ what, failure }: Outcome, { quiet, fail }: PurlConfig, io: PurlIo): number {
  if (failure === undefined) return 0;
  const reported: readonly FailureKind[] = REPORTED[what];
  if (quiet && !fail && reported.includes(failure.kind)) return 0;
  return failed(failure, io);
}

/** Says what went wrong, which may be in words of the server, and gives back the exit status. */
function failed({ message, kind, hint }: PurlFailure, { stderr, name }: PurlIo): number {
  stderr.write(`${name}: ${stderr.isTTY ? terminalText(message) : message}\n`);
  if (hint !== undefined) stderr.write(`${name}: ${hint}\n`);
  return EXIT_CODES[kind];
}

function progressFor({ quiet, json }: PurlConfig, { stderr }: PurlIo): Progress {
  if (json) return jsonProgress(stderr);
  return stderr.isTTY && !quiet ? terminalProgress(stderr) : silentProgress;
}

/** Writes the trace of what is sent and received, in colour on a terminal. */
function tracer({ quiet }: PurlConfig, { stderr, name }: PurlIo) {
  if (quiet) return () => {};
  const paint = (code: number, text: string) =>
    stderr.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text;
  stderr.write(`${paint(36, `${name} ${VERSION}`)}\n`);
  return (direction: 'tx' | 'rx', text: string) => {
    stderr.write(`${paint(direction === 'tx' ? 33 : 32, direction)} ${text}\n`);
  };
}
