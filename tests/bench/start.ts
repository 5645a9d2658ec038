import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idleRows } from './idle.ts';
import { processorMs } from './processFigures.ts';
import { machine, median, startPman } from './programs.ts';
import { row } from './row.ts';

/**
 * What a start takes, beside Node itself: of the server until it has answered, of a verb, of crunner; then what an idle
 * pman takes (idle.ts). The shortest counts, for others may work here too; the median is told with it.
 * Usage: npm run bench:start [-- <starts>]
 */
const starts = Number(process.argv[2] ?? 20);
const root = join(import.meta.dirname, '../..');
const program = (name: string) => join(root, 'dist/bin', `${name}.cjs`);
const meter = ['--require', join(root, 'tests/fixtures/cpuMeter.cjs')];

interface Start {
  /** On the clock. */
  readonly ms: number;
  /** Of the processor. */
  readonly cpuMs: number;
}

/** A program that runs to its end. */
function command(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Start {
  const startedAt = performance.now();
  const { status, output } = spawnSync(process.execPath, [...meter, ...argv], {
    ...{ stdio: ['ignore', 'ignore', 'ignore', 'pipe'], encoding: 'utf8' },
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
  const { ms } = JSON.parse(output[3] ?? '') as { readonly ms: number };
  return { ms: performance.now() - startedAt, cpuMs: ms };
}

/** A server, until it has answered; it says its port on standard error. */
async function server(argv: readonly string[]): Promise<Start> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, digits] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (digits !== undefined) resolve(Number(digits));
    });
    void ended.then(() => reject(new Error(`the server ended: ${said}`)));
  });
  const body = JSON.stringify({ payload: { action: 'hello', meta: { askAbout: 'timestamp' } } });
  await new Promise((resolve, reject) => {
    const sent = request({ port, method: 'POST', path: '/api/v1/cmd' }, (answer) =>
      answer.resume().on('end', resolve),
    );
    sent.on('error', reject).end(body);
  });
  const ms = performance.now() - startedAt;
  const cpuMs = processorMs(child.pid ?? 0);
  child.kill('SIGTERM');
  await ended;
  return { ms, cpuMs };
}

const BARE_SERVER = `const server = require('node:http').createServer((request, answer) => answer.end('{}'));
server.listen(0, '127.0.0.1', () => console.error('127.0.0.1:' + server.address().port));`;

const least = (all: readonly Start[], figure: keyof Start) =>
  Math.min(...all.map((one) => one[figure]));
const amount = (all: readonly Start[]) =>
  `${least(all, 'ms').toFixed(0)} ms (median ${median(all.map(({ ms }) => ms)).toFixed(0)})`;

function tell(what: string, ours: readonly Start[], limit: readonly Start[], words: Words): void {
  const ratio = (figure: keyof Start) => (least(ours, figure) / least(limit, figure)).toFixed(2);
  const { limitIs, goal, asRatio = false } = words;
  row({
    ...{ what, goal },
    limit: `${limitIs}, ${amount(limit)}`,
    measured: asRatio ? `${ratio('ms')} times, ${amount(ours)}` : amount(ours),
    processor: `${least(ours, 'cpuMs').toFixed(0)} and ${least(limit, 'cpuMs').toFixed(0)} ms (${ratio('cpuMs')} times)`,
  });
}

interface Words {
  readonly limitIs: string;
  readonly goal: string;
  readonly asRatio?: boolean;
}

console.log(machine());
const folder = mkdtempSync(join(tmpdir(), 'pman-start-'));
const bareServer = join(folder, 'bare.cjs');
writeFileSync(bareServer, BARE_SERVER);
const found = { pman: [], bare: [], ls: [], crunner: [], node: [] } as Record<string, Start[]>;
const running = await startPman();
const note = (name: string, start: Start) => found[name]?.push(start);
try {
  const url = { PMAN_URL: `http://127.0.0.1:${running.port}` };
  for (let i = 0; i < starts; i += 1) {
    // In turns, so that what else the machine does strikes all alike.
    const places = ['--DBpath', join(folder, `${i}/db`), '--directiveFile', join(folder, 'none')];
    const flags = ['--port', '0', '--http', '--verbosity', '0', ...places];
    note('pman', await server([program('pman'), ...flags]));
    note('bare', await server([bareServer]));
    note('ls', command([program('pman'), 'ls'], url));
    note('crunner', command([program('crunner'), '-v', '-1', '-c', 'true']));
    note('node', command(['-e', '0']));
  }
} finally {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
}
const { pman = [], bare = [], ls = [], crunner = [], node = [] } = found;
const byNode = '`node -e 0`';
const bareHttp = 'a bare `node:http` server';
tell('the server, to its first answer', pman, bare, { limitIs: bareHttp, goal: '150 ms' });
tell('`pman ls`', ls, node, { limitIs: byNode, goal: '250 ms' });
tell('`crunner -c true`', crunner, node, { limitIs: byNode, goal: '1.2 times', asRatio: true });
await idleRows();
