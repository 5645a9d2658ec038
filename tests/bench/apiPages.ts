import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { longestHello } from './helloMeanwhile.ts';
import { median, startPman } from './programs.ts';
import { writeHistory } from './writeHistory.ts';

const TURNS = 11;
const DAY_MS = 24 * 3600 * 1000;

interface Page {
  readonly jobs: readonly unknown[];
  readonly next: string | null;
}

/** Pages of a long history at its start, middle and end, with each filter: how long one takes, and how long others wait. */
export async function benchPages(jobs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pman-bench-pages-'));
  try {
    writeHistory({ jobs, folder: join(folder, 'db') });
    const server = await startPman([], folder);
    console.log('| page of 100 | start ms | middle | end | longest hello ms |');
    console.log('| --- | --: | --: | --: | --: |');
    try {
      for (const filter of filters(jobs)) await pagesOf(server.port, filter);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    agent.destroy();
  }
}

function filters(jobs: number): readonly string[] {
  const ago = (part: number) =>
    encodeURIComponent(new Date(Date.now() - part * jobs * 60_000).toISOString());
  return [
    ...['', 'sort=oldest', 'fields=id,state', 'state=failed', 'state=running', 'auid=user-3'],
    ...[`jid=history-${jobs >> 1}`, 'backend=host', 'backend=container', 'label=a%3Db'],
    ...[`since=${ago(0.5)}`, `until=${ago(0.5)}`, `since=${ago(0.6)}&until=${ago(0.4)}`],
    ...[`text=job%20${jobs >> 1}`, 'text=in%20none', 'auid=user-9&state=succeeded'],
    ...['auid=user-3&text=99&fields=id', `since=${encodeURIComponent(dayAgo())}`],
  ];
}

const dayAgo = () => new Date(Date.now() - DAY_MS).toISOString();

async function pagesOf(port: number, filter: string): Promise<void> {
  const cursors = await places(port, filter);
  const cells: string[] = [];
  let longest = 0;
  for (const cursor of cursors) {
    const times: number[] = [];
    const work = async () => {
      for (let turn = 0; turn < TURNS; turn += 1) {
        const askedAt = performance.now();
        await page(port, filter, cursor);
        times.push(performance.now() - askedAt);
      }
    };
    longest = Math.max(longest, await longestHello(port, work()));
    cells.push(`${median(times).toFixed(1)} (${Math.max(...times).toFixed(1)})`);
  }
  while (cells.length < 3) cells.push('-');
  const name = decodeURIComponent(filter) || 'no filter';
  console.log(`| ${[name, ...cells, longest.toFixed(1)].join(' | ')} |`);
}

/** The cursors of the pages at the start, in the middle and at the end. */
async function places(port: number, filter: string): Promise<readonly string[]> {
  const cursors: string[] = [''];
  for (let at: string | null = ''; at !== null; ) {
    const walk = new URLSearchParams(filter);
    walk.set('fields', 'id');
    at = (await page(port, walk.toString(), at, 1000)).next;
    if (at !== null) cursors.push(at);
  }
  const places = [cursors[0], cursors[cursors.length >> 1], cursors.at(-1)];
  return [...new Set(places)].filter((cursor) => cursor !== undefined);
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function page(port: number, filter: string, cursor: string, limit = 100): Promise<Page> {
  const query = new URLSearchParams(filter);
  query.set('limit', String(limit));
  if (cursor !== '') query.set('cursor', cursor);
  return new Promise((resolve, reject) => {
    const sent = get({ port, agent, path: `/api/v2/jobs?${query}` }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(JSON.parse(body) as Page);
        else reject(new Error(`${query} is answered with ${response.statusCode}: ${body}`));
      }, reject);
    });
    sent.on('error', reject);
  });
}
