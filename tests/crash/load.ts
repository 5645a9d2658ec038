import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../helpers/http.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { planJob } from './kinds.ts';
import { type Entry, hasEnded, type Ledger, statesOf } from './ledger.ts';
import type { Random } from './random.ts';

export interface LoadOptions {
  readonly server: TestServer;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Where jobs leave their marks. */
  readonly marks: string;
  /** Begins the jids of this load. */
  readonly name: string;
}

type Operation = (options: LoadOptions, jid: string) => Promise<void>;

const operations: ReadonlyArray<readonly [weight: number, operation: Operation]> = [
  [6, (options, jid) => run(options, jid, true)],
  [3, (options, jid) => run(options, jid, false)],
  [4, askStatus],
  [2, askResult],
  [1, save],
  [1, leaveDirective],
  [1, kill],
];

/**
 * Clients at work until the signal: each does one random thing after another, and writes down what it is told. Answers
 * that do not come are what a crash does; answers that are wrong go to the ledger's faults.
 */
export async function putUnderLoad(
  options: LoadOptions,
  clients: number,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  const client = async () => {
    while (!signal.aborted) {
      count += 1;
      await options.random.weighted(operations)(options, `${options.name}-${count}`);
      await sleep(options.random.between(0, 10));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Sends a command; undefined when no answer came. */
export async function ask(
  { server, ledger }: Pick<LoadOptions, 'server' | 'ledger'>,
  action: string,
  meta: object,
): Promise<Record<string, unknown> | undefined> {
  let answer: Answer;
  try {
    const body = { payload: { action, meta } };
    answer = await server.request('POST', '/api/v1/cmd', { body, timeoutMs: 30_000 });
  } catch (error) {
    if (String(error).includes('no whole answer within')) ledger.faults.push(`${action}: ${error}`);
    return undefined; // the server was killed
  }
  // 404: the job of a request that was never answered may not be there.
  if (answer.status !== 200 && answer.status !== 404) {
    ledger.faults.push(`${action} was answered with ${answer.status}: ${answer.text.slice(-300)}`);
    return undefined;
  }
  return answer.json() as Record<string, unknown>;
}

async function run(options: LoadOptions, jid: string, threaded: boolean): Promise<void> {
  const { ledger, random, marks } = options;
  const entry = ledger.open(jid, planJob(random, join(marks, jid)));
  const meta = { cmd: entry.cmd, auid: 'crash', jid, threaded };
  const reply = await ask(options, 'run', meta);
  if (reply === undefined) return;
  if (reply.status === true) entry.accepted = true;
  else ledger.fault(entry, 'was answered without status true');
  if (!threaded) await learnStatus(options, entry, true);
}

/** @param isEnded a reply has said so */
export async function learnStatus(
  options: Pick<LoadOptions, 'server' | 'ledger'>,
  entry: Entry,
  isEnded = false,
): Promise<void> {
  const before = { ...entry };
  const reply = await ask(options, 'status', { key: 'jid', value: entry.jid });
  if (reply === undefined) return;
  options.ledger.learn(entry, statesOf(reply), before);
  if (isEnded && !hasEnded(entry.told)) options.ledger.fault(entry, 'was told as ended and is not');
}

async function askStatus(options: LoadOptions): Promise<void> {
  const entry = options.random.pick([...options.ledger.entries.values()]);
  if (entry) await learnStatus(options, entry);
}

async function askResult(options: LoadOptions): Promise<void> {
  const { random, ledger } = options;
  const entry = random.pick([...ledger.entries.values()].filter(({ told }) => hasEnded(told)));
  if (entry) await learnResult(options, entry);
}

/** Asks for the result of a job that has ended: it is the same for ever. */
export async function learnResult(
  options: Pick<LoadOptions, 'server' | 'ledger'>,
  entry: Entry,
): Promise<void> {
  const reply = await ask(options, 'result', { key: 'jid', value: entry.jid });
  if (reply === undefined) return;
  const result = JSON.stringify(reply.d_ret);
  if (entry.result !== undefined && entry.result !== result) {
    options.ledger.fault(entry, `changed its result from ${entry.result} to ${result}`);
  }
  entry.result = result;
}

async function save(options: LoadOptions): Promise<void> {
  await ask(options, 'DBctl', { do: 'save' });
}

/** A directive file, as one that is moved into place; whoever wrote it may rely on it from then on. */
async function leaveDirective(
  { server, ledger, random, marks }: LoadOptions,
  jid: string,
): Promise<void> {
  const { directiveFile } = server.folders;
  if (existsSync(directiveFile)) return;
  const plan = planJob(random, join(marks, jid));
  const meta = { cmd: plan.cmd, auid: 'crash', jid, threaded: true };
  writeFileSync(`${directiveFile}.${jid}`, JSON.stringify({ action: 'run', meta }));
  if (existsSync(directiveFile)) return;
  renameSync(`${directiveFile}.${jid}`, directiveFile);
  ledger.open(jid, plan, true);
}

async function kill(options: LoadOptions): Promise<void> {
  const { random, ledger } = options;
  const candidates = [...ledger.entries.values()].filter(({ told }) => !hasEnded(told));
  const entry = random.pick(candidates);
  if (entry === undefined) return;
  entry.killed = true;
  const meta = { key: 'jid', value: entry.jid, signal: random.pick(['TERM', 'KILL']), grace: 1 };
  await ask(options, 'kill', meta);
}
