// What a log of 100 MB costs: from a click to its first lines in a real browser, its longest task while one scrolls and
// searches, and how long other requests wait meanwhile. Needs PMAN_TEST_CHROMIUM (tests/engines/chromium.sh).
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import { LogPage } from '../helpers/logPage.ts';
import { startServer } from '../helpers/startServer.ts';
import { longestHello } from './helloMeanwhile.ts';

const LINES = 1_300_000;
const ROUNDS = 5;

const server = await startServer();
const api = (path: string, init = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
const file = join(server.folders.root, 'large');
const out = createWriteStream(file);
for (let i = 1; i <= LINES; i += 1) {
  const line = `${i} epoch ${i % 200}/200 loss ${(1 / i).toFixed(9)} ${'='.repeat(40)}\n`;
  if (!out.write(line)) await new Promise((resolve) => out.once('drain', () => resolve(undefined)));
}
await new Promise<void>((resolve) => out.end(() => resolve()));

/** Each of them is read for the first time. */
async function job(): Promise<string> {
  const sent = await api('/api/v2/jobs', {
    method: 'POST',
    body: JSON.stringify({ command: `cat ${file}` }),
  });
  const { id } = (await sent.json()) as { id: string };
  await api(`/api/v2/jobs/${id}?wait=60s`);
  return id;
}

/** What some work made, how long it took, and how long others had to wait meanwhile at most, in milliseconds. */
async function meanwhile<T>(
  work: () => Promise<T>,
): Promise<{ made: T; ms: number; slowest: number }> {
  const begun = performance.now();
  const made = work();
  let ms = 0;
  const timed = made.then(() => {
    ms = performance.now() - begun;
  });
  const slowest = await longestHello(server.port, timed);
  return { made: await made, ms, slowest };
}

const say = (text: string) => console.log(text);
const two = (values: readonly number[]) => {
  const [best = 0] = [...values].sort((a, b) => a - b);
  return `${values.map((value) => value.toFixed(0)).join(', ')} (best ${best.toFixed(0)})`;
};

await meanwhile(() => sleep(200)); // warm
const idle = await meanwhile(() => sleep(1000));
say(`a hello while nothing goes on: at most ${idle.slowest.toFixed(1)} ms`);
const firsts: number[] = [];
const seconds: number[] = [];
let slowest = 0;
for (let i = 0; i < ROUNDS; i += 1) {
  const id = await job();
  const path = `/api/v2/jobs/${id}/output/lines?from=-200`;
  const first = await meanwhile(async () => (await api(path)).text());
  const second = await meanwhile(async () => (await api(path)).text());
  firsts.push(first.ms);
  seconds.push(second.ms);
  slowest = Math.max(slowest, first.slowest);
}
say(
  `the last 200 lines, read for the first time: ${two(firsts)} ms; a hello meanwhile: at most ${slowest.toFixed(1)} ms`,
);
say(`the last 200 lines, known: ${two(seconds)} ms`);

const id = await job();
for (const query of [
  `text=${LINES - 1}`,
  'text=EPOCH&ignoreCase=1&limit=10',
  'text=nowhere&ignoreCase=1',
  'regex=loss%200.0000007%5Cd%2B%20',
]) {
  const found = await meanwhile(async () =>
    (await api(`/api/v2/jobs/${id}/output/find?${query}`)).json(),
  );
  const { lines } = found.made as { lines: number[] };
  say(
    `find ${query}: ${found.ms.toFixed(0)} ms, ${lines.length} lines; a hello meanwhile: at most ${found.slowest.toFixed(1)} ms`,
  );
}

const log = await LogPage.open(server.port);
const shown: number[] = [];
const tasks: number[] = [];
for (let i = 0; i < ROUNDS; i += 1) {
  await log.show(await job());
  shown.push(Number(await log.page.evaluate('firstLineAt')));
}
// From the first byte of the page; the script that it loads is a part of it.
say(`in the browser, from the navigation to its first lines: ${two(shown)} ms`);
for (let i = 0; i < 60; i += 1) {
  await log.page.evaluate(`{
    const box = document.querySelector('.log-scroller');
    box.scrollTop = ${i % 3 === 0 ? 'Math.random() * box.scrollHeight' : 'box.scrollTop + 400'};
  }`);
  await log.page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
}
await log.page.getByLabel('Find in the log').fill('epoch 7/');
await log.page.getByLabel('Find in the log').press('Enter');
const count = () => log.page.locator('.log-count').textContent();
await eventually(async () => /^\d+\/6500$/.test((await count()) ?? ''));
tasks.push(...((await log.page.evaluate('longTasks')) as number[]));
say(`tasks of more than 50 ms while it was opened, scrolled and searched: ${two(tasks)} ms`);
say(`rows in the page: ${await log.page.locator('.log-row').count()}`);
await log.close();
await server.stop();
