import type { IncomingMessage } from 'node:http';
import { readableStamp } from '../host/stamps.ts';
import { CHECKS_HEADER } from '../transfer/contentCheck.ts';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { ARCHIVES_HEADER } from '../transfer/pack/agreed.ts';
import type { SendPlan } from '../transfer/send.ts';
import { sizeText } from '../transfer/sizeText.ts';
import { PurlFailure, transferFailure } from './failure.ts';
import { readText, send } from './http/httpClient.ts';
import { proxyRefusal } from './http/tunnel.ts';
import { type Peer, transferUrl, type Way } from './peer.ts';
import { planPush, pushId } from './push/pushPlan.ts';
import type { TransferMessage } from './transferMessage.ts';
import { isFileMode, type Report, type TransferOptions } from './transferOptions.ts';

/** The other side, asked and found ready. */
export interface Remote {
  readonly report: Report;
  readonly peer: Peer;
  readonly isFolder: boolean;
  /** What is pushed, when that was looked at before the other side was asked. */
  readonly plan: SendPlan | undefined;
  /** How much of this push arrived in an earlier try. */
  readonly offset: number;
}

/** Asks a pfioh about the remote path, and finds out which pfioh it is. */
export async function checkRemote(
  message: TransferMessage,
  options: TransferOptions,
): Promise<Remote | { readonly report: Report; readonly failure: PurlFailure }> {
  const { way } = options;
  try {
    const plan = await planToResume(message, options);
    const { answer, text } = await ask(message, way, plan && pushId(message, plan));
    const state = readReport(answer, text, way);
    const report = remoteReport(message, state, text);
    if (!report.status) {
      const what = message.remotePath ?? `key ${message.remoteKey}`;
      const kind = (answer.statusCode ?? 0) < 400 ? 'wrongPath' : 'refused';
      const failure = new PurlFailure(kind, `${what} on ${way.url.host}: ${report.msg}`);
      return { report, failure };
    }
    const said = (name: string) => answer.headers[name.toLowerCase()]?.toString();
    const [checks, archives] = [said(CHECKS_HEADER), said(ARCHIVES_HEADER)];
    return {
      report,
      peer: { ...way, kind: kindOf(answer, state), checks, archives },
      isFolder: state.isdir === true,
      plan,
      offset: Number(answer.headers['pfioh-offset'] ?? 0),
    };
  } catch (error) {
    const failure = transferFailure(error, message.verb);
    const { message: msg } = failure;
    const timestamp = readableStamp(Date.now());
    const report = { status: false, msg, response: msg, timestamp, size: sizeText(msg.length) };
    return { report, failure };
  }
}

/**
 * How much of the push of this name is there from an earlier try.
 * @throws PurlFailure when our own pfioh does not answer
 */
export async function arrivedBytes(
  message: TransferMessage,
  way: Way,
  id: string,
): Promise<number> {
  const { answer } = await ask(message, way, id);
  return Number(answer.headers['pfioh-offset'] ?? 0);
}

/** What is pushed, for `--resume`: what is asked about is named for it. */
async function planToResume(
  message: TransferMessage,
  options: TransferOptions,
): Promise<SendPlan | undefined> {
  if (!options.resume || message.verb === 'pull' || message.copy !== undefined) return undefined;
  return planPush(message, isFileMode(message, options));
}

async function ask(message: TransferMessage, { url, client, signal }: Way, id?: string) {
  const asked = {
    ...message.transport,
    ...(id === undefined ? {} : { resume: { id } }),
    ...(message.verb === 'pull' ? { createDirs: false } : {}),
    checkRemote: true,
  };
  const target = transferUrl(url, message, asked);
  const answer = await send({ method: 'GET', url: target, oldPeer: true, signal }, client);
  return { answer, text: await readText(answer) };
}

type PathReport = Record<string, unknown> & { readonly status: boolean };

/** @throws PurlFailure when it is no pfioh, or one that wants a token */
function readReport(answer: IncomingMessage, text: string, { url }: Way): PathReport {
  const response = parseJsonOrUndefined(text);
  if (answer.statusCode === 401) {
    const why = isReport(response, answer) ? String(response.msg) : 'it wants a valid token';
    throw new PurlFailure('refused', `${url.host} refused the request (401): ${why} (--authToken)`);
  }
  if (answer.statusCode === 407) throw new PurlFailure('proxy', proxyOf(url, '407'));
  if (isPman(response)) throw new PurlFailure('badAnswer', `${url.host} is a pman and no pfioh`);
  if (isReport(response, answer)) return response;
  const { statusCode = 0 } = answer;
  if (statusCode >= 500) {
    const why = `${url.host} answered ${statusCode}, not as pfioh does: is it a proxy whose pfioh is away?`;
    throw new PurlFailure('badAnswer', why);
  }
  const what = text.slice(0, 60).replaceAll(/\s+/g, ' ');
  const isPlain = url.protocol === 'http:' && statusCode === 400 && /https|TLS/i.test(text);
  const meant = isPlain ? '; perhaps https:// is meant' : '';
  throw new PurlFailure(
    'badAnswer',
    `${url.host} is no pfioh: it answered ${statusCode} ${JSON.stringify(what)}${meant}`,
  );
}

/** What is said of a proxy that stands where pfioh was named. */
function proxyOf({ host }: URL, status: string): string {
  return `${host} is no pfioh but a proxy: ${proxyRefusal(status)}`;
}

/** A report on a path; our own pfioh's may be a refusal without one. */
function isReport(value: unknown, { headers }: IncomingMessage): value is PathReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'boolean' &&
    ('isdir' in value || headers['pfioh-version'] !== undefined)
  );
}

function isPman(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'RESTverb' in value;
}

function remoteReport({ verb }: TransferMessage, response: PathReport, text: string) {
  // A Python pfioh may make the folder of a pull: it was not there, so there is nothing to pull.
  const status = response.status && !(verb === 'pull' && response.createdNewDir === true);
  const refusal =
    typeof response.msg === 'string' ? response.msg : 'The remote path spec is invalid!';
  return {
    status,
    msg: status ? 'Check on remote path successful.' : refusal,
    response,
    timestamp: readableStamp(Date.now()),
    size: sizeText(text.length),
  };
}

function kindOf({ headers }: IncomingMessage, response: PathReport): Peer['kind'] {
  if (headers['pfioh-version'] !== undefined) return 'own';
  return 'isswiftstore' in response || 'createdNewDir' in response ? 'python2' : 'python1';
}
