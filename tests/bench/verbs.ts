import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, median, startPman } from './programs.ts';
import { row } from './row.ts';
import { writeHistory } from './writeHistory.ts';

/**
 * From enter to the first word of `pman ls` and `pman run true` beside a server with a long history, and to the same of
 * a bare Node that asks for the same by one request and prints the answer. In turns, so that what else the machine
 * does strikes all alike.
 * Usage: npm run bench:verbs [-- <turns> [<jobs>]]
 */
const turns = Number(process.argv[2] ?? 20);
const jobs = Number(process.argv[3] ?? 10_000);
const program = join(import.meta.dirname, '../../dist/bin/pman.cjs');

/** What any program would have to do: start, ask, print. */
const BARE = `const { request } = require('node:http');
const [url, method, body] = process.argv.slice(2);
const headers = { 'Content-Type': 'application/json' };
request(url, { method, headers }, (answer) => {
  if (answer.statusCode >= 400) process.exitCode = 1;
  answer.pipe(process.stdout);
}).end(body);`;

/** How long it is until a program has said something, in milliseconds. */
async function untilItSays(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, argv, {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } },
  });
  const ended = once(child, 'close');
  let said: number | undefined;
  child.stdout.on('data', () => {
    said ??= performance.now() - startedAt;
  });
  const [status] = (await ended) as [number | null];
  if (status !== 0 || said === undefined) throw new Error(`${argv.join(' ')} ended with ${status}`);
  return said;
}

console.log(machine());
const folder = mkdtempSync(join(tmpdir(), 'pman-verbs-'));
const bare = join(folder, 'bare.cjs');
const took: Record<'ls' | 'bareLs' | 'run' | 'bareRun' | 'node', number[]> = {
  ...{ ls: [], bareLs: [], run: [], bareRun: [], node: [] },
};
writeFileSync(bare, BARE);
writeHistory({ jobs, folder: join(folder, 'db') });
const server = await startPman([], folder);
try {
  const url = `http://127.0.0.1:${server.port}`;
  const ours = { PMAN_URL: url };
  for (let turn = 0; turn < turns; turn += 1) {
    took.node.push(await untilItSays(['-p', '0']));
    took.ls.push(await untilItSays([program, 'ls'], ours));
    took.bareLs.push(await untilItSays([bare, `${url}/api/v2/jobs`, 'GET']));
    took.run.push(await untilItSays([program, 'run', 'true'], ours));
    took.bareRun.push(
      await untilItSays([bare, `${url}/api/v2/jobs`, 'POST', '{"command":"true"}']),
    );
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
const amount = (all: readonly number[]) =>
  `${Math.min(...all).toFixed(0)} ms (median ${median(all).toFixed(0)})`;
const [ls, run] = [`\`pman ls\` with ${jobs} jobs`, '`pman run true`, from enter to the id'];
for (const [what, all, limit] of [
  [ls, took.ls, took.bareLs],
  [run, took.run, took.bareRun],
] as const) {
  const more = Math.min(...all) - Math.min(...limit);
  row({
    ...{ what, goal: '30 ms more' },
    limit: `a bare Node with the same request, ${amount(limit)}; \`node -p 0\`, ${amount(took.node)}`,
    measured: `${more.toFixed(0)} ms more: ${amount(all)}`,
  });
}
