import { PmanError } from '../errors.ts';
import { makeFolder } from '../transfer/install.ts';
import { parseJsonOrUndefined } from '../transfer/jsonText.ts';
import { type PathState, pathState } from '../transfer/pathState.ts';
import { sizeText, timestamp } from '../transfer/report.ts';
import { dumps } from '../wire/pythonJson.ts';
import { type FailureKind, PurlFailure } from './failure.ts';
import { readText, send } from './http.ts';
import { makeForm } from './multipart.ts';
import { checkRemote, type Peer, type RemoteCheck, transferUrl } from './peer.ts';
import type { Progress } from './progress.ts';
import { pullPath } from './pull.ts';
import { planPush, pushId, pushPath } from './push.ts';
import { type Outcome, report as reportAnswer } from './talk.ts';
import type { TransferMessage } from './transferMessage.ts';

export interface PathOptions {
  readonly way: Omit<Peer, 'kind'>;
  readonly raw: boolean;
  readonly jsonwrapper: string;
  readonly oneShot: boolean;
  readonly resume: boolean;
  /** Speak as pfurl does: the content of folders, `Mode: file`. */
  readonly isPfurl: boolean;
  readonly progress: Progress;
}

type Report = Readonly<Record<string, unknown>>;

interface Attempt {
  readonly report: Report;
  readonly failure?: PurlFailure;
}

const NOT_DONE = 'No push/pull operation was performed! A filepath check failed!';

/** Carries a pushPath or pullPath out: checks both paths, transfers, reports everything in `stdout`. */
export async function operatePath(
  message: TransferMessage,
  options: PathOptions,
): Promise<Outcome> {
  const { report, failure } = await attempt(message, options);
  const shutdown = options.oneShot ? { shutdown: await shutDown(options) } : {};
  const text = dumps({ stdout: { ...report, ...shutdown } });
  return failure === undefined ? { text } : { text, failure };
}

async function attempt(message: TransferMessage, options: PathOptions): Promise<Attempt> {
  const localCheck = checkLocal(message);
  if (!localCheck.status) {
    const why = `${message.localPath}: ${localCheck.msg}`;
    return checkFailed({ localCheck }, 'refused', why);
  }
  let remote: RemoteCheck;
  try {
    remote = await checkRemote(message, options.way, await resumeId(message, options));
  } catch (error) {
    const { kind, message: msg } = asFailure(error, message);
    const remoteCheck = {
      status: false,
      msg,
      response: msg,
      timestamp: timestamp(),
      size: sizeText(msg.length),
    };
    return checkFailed({ localCheck }, kind, msg, { remoteCheck });
  }
  const remoteCheck = remote.report;
  if (!remoteCheck.status) {
    const what = message.remotePath ?? `key ${message.remoteKey}`;
    return checkFailed(
      { localCheck },
      'refused',
      `${what} on ${options.way.url.host}: ${String(remoteCheck.msg)}`,
      { remoteCheck },
    );
  }
  try {
    const done = await transfer(message, remote, options);
    return {
      report: { localCheck, status: done.status, msg: done.msg, remoteCheck, ...done.report },
    };
  } catch (error) {
    const failure = asFailure(error, message);
    const operation = {
      [message.copy === undefined ? 'compress' : 'copyOp']: { status: false, msg: failure.message },
    };
    return {
      report: { localCheck, status: false, msg: failure.message, remoteCheck, ...operation },
      failure,
    };
  }
}

function checkFailed(first: Report, kind: FailureKind, why: string, last: Report = {}): Attempt {
  return {
    report: { ...first, status: false, msg: NOT_DONE, ...last },
    failure: new PurlFailure(kind, why),
  };
}

function checkLocal({ localPath, createDir, verb }: TransferMessage) {
  let check: PathState = { status: false, isfile: false, isdir: false };
  let why: string | undefined;
  try {
    check = pathState(localPath);
    if (!check.status && verb === 'pull' && createDir) {
      makeFolder(localPath);
      check = pathState(localPath);
    }
  } catch (error) {
    if (!(error instanceof PmanError)) throw error;
    why = error.message;
  }
  if (verb === 'pull' && check.isfile) why = 'It is a file; a pull goes into a folder.';
  const status = check.status && (verb === 'push' || check.isdir);
  const msg = status
    ? 'Check on local path successful.'
    : (why ?? 'The local path spec is invalid!');
  return { check, status, timestamp: timestamp(), msg };
}

/** The name of this push for `--resume`; needs a look at what is pushed. */
async function resumeId(
  message: TransferMessage,
  options: PathOptions,
): Promise<string | undefined> {
  if (!options.resume || message.verb === 'pull' || message.copy !== undefined) return undefined;
  return pushId(message, await planPush(message, isFileMode(message, options)));
}

function isFileMode(
  { remoteKey }: TransferMessage,
  { isPfurl }: PathOptions,
  kind?: Peer['kind'],
): boolean {
  return isPfurl || remoteKey !== undefined || kind === 'python2';
}

interface Done {
  readonly status: boolean;
  readonly msg: string;
  readonly report: Report;
}

async function transfer(
  message: TransferMessage,
  remote: RemoteCheck,
  options: PathOptions,
): Promise<Done> {
  if (message.copy !== undefined) return copy(message, remote.peer, options);
  return message.verb === 'push' ? push(message, remote, options) : pull(message, remote, options);
}

async function push(
  message: TransferMessage,
  { peer, offset }: RemoteCheck,
  options: PathOptions,
): Promise<Done> {
  const { jsonwrapper, progress, resume, raw } = options;
  const fileMode = isFileMode(message, options, peer.kind);
  const plan = await planPush(message, fileMode);
  const goesOn = resume && peer.kind === 'own' ? { id: pushId(message, plan), offset } : undefined;
  const { local, answer } = await pushPath(message, plan, {
    peer,
    isFileMode: fileMode,
    jsonwrapper,
    progress,
    resume: goesOn,
  });
  const remoteServer = answerObject(reportAnswer(answer, raw));
  const { status, msg } = stateOf(remoteServer);
  return { status, msg, report: { compress: { local, remoteServer, status, msg } } };
}

async function pull(
  message: TransferMessage,
  { peer, isFolder }: RemoteCheck,
  options: PathOptions,
): Promise<Done> {
  const { progress, resume } = options;
  const fileMode = isFileMode(message, options, peer.kind);
  const { remoteServer, localOp, msg } = await pullPath(message, {
    peer,
    isFileMode: fileMode,
    isFolder,
    progress,
    resume,
  });
  return { status: true, msg, report: { compress: { remoteServer, localOp, status: true, msg } } };
}

async function copy(message: TransferMessage, peer: Peer, options: PathOptions): Promise<Done> {
  const transport = { ...message.transport, checkRemote: false };
  const url = transferUrl(peer.url, message, transport);
  const text =
    message.verb === 'pull'
      ? await ask(peer, url)
      : await sendForm(peer, { action: message.action, meta: { ...message.meta, transport } });
  const response = parseJsonOrUndefined(text);
  const { status, msg: why } = stateOf(response);
  if (!status) throw new PurlFailure('transfer', `${peer.url.host} did not copy: ${why || text}`);
  const msg = 'Copy on remote server success!';
  const stamp = { timestamp: timestamp(), size: sizeText(text.length) };
  const remoteServer =
    message.verb === 'pull'
      ? { status, msg: 'PULL successful', response, ...stamp }
      : answerObject(reportAnswer(text, options.raw));
  return { status, msg, report: { copyOp: { remoteServer, copy: { status, msg } } } };
}

async function ask(peer: Peer, url: URL): Promise<string> {
  return readText(
    await send({ method: 'GET', url, oldPeer: true, signal: peer.signal }, peer.client),
  );
}

async function sendForm(peer: Omit<Peer, 'kind'>, value: Report): Promise<string> {
  const form = makeForm({ before: [['d_msg', dumps(value)]], filename: '' });
  const headers: [string, string][] = [
    ['Content-Type', form.contentType],
    ['Content-Length', String(form.overhead)],
  ];
  const { url, client, signal } = peer;
  return readText(
    await send({ method: 'POST', url, headers, body: form.send, oldPeer: true, signal }, client),
  );
}

/** Tells the server to quit, and reports as of a message sent. */
async function shutDown({ way }: PathOptions): Promise<unknown> {
  try {
    const text = await sendForm(way, { action: 'quit', meta: { ctl: { serverCmd: 'quit' } } });
    return answerObject(reportAnswer(text, false));
  } catch (error) {
    if (!(error instanceof PurlFailure)) throw error;
    return { stdout: error.message, status: false, msg: error.message };
  }
}

function answerObject(text: string): unknown {
  return parseJsonOrUndefined(text) ?? text;
}

function stateOf(value: unknown): { status: boolean; msg: string } {
  if (typeof value !== 'object' || value === null) return { status: false, msg: '' };
  const status = !('status' in value) || value.status === true;
  return { status, msg: 'msg' in value ? String(value.msg) : '' };
}

type Kinds = Readonly<Partial<Record<PmanError['code'], FailureKind>>>;

const PULL_KINDS: Kinds = {
  storage: 'localWrite',
  forbidden: 'localWrite',
  not_found: 'localRead',
};

/** A push fails here for what cannot be sent: a name that is not UTF-8, a pipe, a device. */
const PUSH_KINDS: Kinds = {
  storage: 'localWrite',
  forbidden: 'localRead',
  not_found: 'localRead',
  bad_request: 'localRead',
};

/** Any expected error as a failure with an exit status. */
function asFailure(error: unknown, { verb }: TransferMessage): PurlFailure {
  if (error instanceof PurlFailure) return error;
  if (!(error instanceof PmanError)) throw error;
  const kind = (verb === 'pull' ? PULL_KINDS : PUSH_KINDS)[error.code];
  return new PurlFailure(kind ?? 'transfer', error.message, { cause: error });
}
