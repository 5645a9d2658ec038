import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAccepted } from '../../lib/jobs/host/acceptedJobs.ts';
import { readTree } from '../../lib/tree/disk.ts';
import { isJsonObject } from '../../lib/wire/json.ts';
import { dumps } from '../../lib/wire/pythonJson.ts';
import { eventually } from '../helpers/eventually.ts';
import type { TestServer } from '../helpers/startServer.ts';
import { type Entry, hasEnded, type Ledger } from './ledger.ts';
import { ask, learnResult, learnStatus } from './load.ts';

interface Place {
  readonly server: TestServer;
  readonly ledger: Ledger;
  readonly marks: string;
}

interface Result {
  readonly status: string;
  readonly returncode: ReadonlyArray<number | null>;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** After a restart: what clients have been told is still so. */
export async function checkKnown(place: Place): Promise<void> {
  await forEach(place.ledger.entries.values(), async (entry) => {
    if (entry.result === undefined) await learnStatus(place, entry);
    else await learnResult(place, entry);
  });
}

/** A few at once. */
async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** Once everything has ended: every job is there once, has run once, and shows what it did. */
export async function checkEnded(place: Place): Promise<void> {
  const { server, ledger, marks } = place;
  await eventually(() => !existsSync(server.folders.directiveFile), {
    message: 'the last directive file to be taken',
  });
  await forEach(ledger.entries.values(), async (entry) => {
    await untilEnded(place, entry);
    if (entry.told) {
      await learnResult(place, entry);
      checkMarks(place, entry);
      checkResult(ledger, entry);
      return;
    }
    if (entry.isDirective) ledger.fault(entry, 'came by a directive file and is not there');
    if (existsSync(join(marks, entry.jid))) ledger.fault(entry, 'has run and is not there');
  });
  const there = [...ledger.entries.values()].filter(({ told }) => told).length;
  const listed = (await server.request('GET', '/api/v1')).json() as { GET: object };
  const count = Object.keys(listed.GET).length;
  if (count !== there) ledger.faults.push(`${count} jobs are listed, ${there} were found by jid`);
}

async function untilEnded({ server, ledger }: Place, entry: Entry): Promise<void> {
  const look = async () => {
    await learnStatus({ server, ledger }, entry);
    return hasEnded(entry.told) || (!entry.told && !entry.accepted && !entry.isDirective);
  };
  await eventually(look).catch(() => {
    const state = entry.told?.status ?? 'not there';
    ledger.fault(entry, `is stuck: ${state} (by directive file: ${entry.isDirective})`);
  });
}

/** Each sub-job leaves a line when it runs: in order, none twice, and all of them unless somebody has ended the job. */
function checkMarks({ ledger, marks }: Place, entry: Entry): void {
  const file = join(marks, entry.jid);
  const ran = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const planned = entry.parts.map((_, k) => `${k}\n`).join('');
  const isComplete = entry.killed || entry.runnerKilled || ran === planned;
  if (!planned.startsWith(ran) || !isComplete) {
    ledger.fault(
      entry,
      `was to run the sub-jobs ${JSON.stringify(planned)}, ran ${JSON.stringify(ran)}`,
    );
  }
}

function checkResult(ledger: Ledger, entry: Entry): void {
  const told = JSON.parse(entry.result ?? 'null') as Record<string, Result> | null;
  const result = told?.['0'];
  if (result === undefined) return;
  const wrong = entry.parts.findIndex(
    ({ stdout, stderr, returncode }, k) =>
      result.stdout[k] !== stdout ||
      result.stderr[k] !== stderr ||
      result.returncode[k] !== returncode,
  );
  const isLost = result.status === 'lost';
  if (wrong < 0 && !isLost) return;
  // Somebody ended it, or the one who watched it: then it says so.
  const maySo = entry.killed || (entry.runnerKilled && isLost);
  if (maySo) return;
  const text = `${entry.told?.status} ${entry.result?.slice(0, 400)}`;
  ledger.fault(entry, `shows something else than it did in sub-job ${wrong}: ${text}`);
}

/** The disk: no open journals, nothing put aside, every record as it is told. */
export async function checkDisk(place: Place): Promise<void> {
  const { server, ledger } = place;
  const { DBpath } = server.folders;
  await ask(place, 'DBctl', { do: 'save' });
  const spool = join(`${DBpath}.spool`, 'jobs');
  const open = () =>
    readdirSync(spool).filter((name) => existsSync(join(spool, name, 'job.jsonl')));
  await eventually(() => open().length === 0).catch(() => {
    ledger.faults.push(`journals of ended jobs are left: ${open().join(' ')}`);
  });
  const waiting = () => acceptedIn(`${DBpath}.spool`);
  await eventually(() => waiting().length === 0).catch(() => {
    ledger.faults.push(
      `jobs that have begun are still among those that wait: ${waiting().join(' ')}`,
    );
  });
  if (existsSync(join(`${DBpath}.spool`, 'unreadable'))) {
    ledger.faults.push('leaves were put aside as unreadable');
  }
  for (const entry of ledger.entries.values()) {
    const root = entry.told?.root;
    if (root === undefined) continue;
    const told = (await server.request('GET', `/api/v1/${root}`)).json() as {
      GET: Record<string, unknown>;
    };
    const unreadable: string[] = [];
    const read = readTree(join(DBpath, root), (file) => unreadable.push(file));
    const kept = read && JSON.stringify(sorted(JSON.parse(dumps(read.tree.toJson()))));
    if (unreadable.length > 0) ledger.fault(entry, `has no JSON in ${unreadable.join(' ')}`);
    else if (kept !== JSON.stringify(sorted(told.GET[root]))) {
      ledger.fault(entry, `is told as ${JSON.stringify(told.GET[root])}, on disk it is ${kept}`);
    }
  }
  const strangers = readdirSync(server.folders.root).filter((name) => name.includes('.taken'));
  if (strangers.length > 0) ledger.faults.push(`left beside the database: ${strangers.join(' ')}`);
}

/** The jobs that the next server would take for jobs that wait. */
function acceptedIn(workFolder: string): readonly string[] {
  const folder = join(workFolder, 'accepted');
  return readdirSync(folder).flatMap((name) => {
    const { jobs, badLines } = readAccepted(readFileSync(join(folder, name), 'utf8'));
    return badLines > 0 ? [`${badLines} lines that are none`] : [...jobs.keys()];
  });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value as never)) return value;
  const entries = Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
