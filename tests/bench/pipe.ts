import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median } from './programs.ts';

/**
 * 1 GiB through a pipe under crunner and under `sh -c`, in one run and in turns: within the command, out of it, into it.
 * Prints what a start costs beside `node -e 0`, the ratios of the speeds, with that start and without, and the peak memory of crunner.
 * Usage: npm run bench:pipe [-- <MiB> [<rounds>]]
 */
const [mebi = '1024', rounds = '7'] = process.argv.slice(2);
const program = fileURLToPath(new URL('../../dist/bin/crunner.cjs', import.meta.url));
const crunner = [process.execPath, program, '-v', '-1'];
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
const zeros = `head -c ${mebi}M /dev/zero`;

/** Each case: a shell line in which RUN stands for the program that is measured, and its flags. */
const cases = {
  'within the command': { line: `RUN -c '${zeros} | cat >/dev/null'`, flags: [] },
  'out of the command': { line: `RUN -c '${zeros}' | cat >/dev/null`, flags: ['--showStdOut'] },
  'into the command': { line: `${zeros} | RUN -c 'cat >/dev/null'`, flags: [] },
} as const;

interface Cost {
  readonly seconds: number;
  /** Processor time of all its processes, in seconds: what a busy machine does not change much. */
  readonly cpu: number;
  /** Peak memory of the node process in it. */
  readonly mib: number;
}

/** What running a shell line costs. */
async function measure(line: string): Promise<Cost> {
  const startedAt = performance.now();
  const cpuAtStart = childSeconds();
  const child = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  let mib = 0;
  const look = setInterval(() => {
    mib = Math.max(mib, ...peaksBelow(child.pid ?? 0));
  }, 50);
  const [code] = await exited;
  clearInterval(look);
  if (code !== 0) throw new Error(`${line} ended with ${String(code)}`);
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, cpu: childSeconds() - cpuAtStart, mib };
}

/** Processor time of the children that have ended: cutime and cstime of proc(5), hundredths of seconds. */
function childSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function summaryOf(costs: readonly Cost[]) {
  const seconds = costs.map((cost) => cost.seconds);
  return {
    middle: median(seconds),
    best: Math.min(...seconds),
    cpu: median(costs.map(({ cpu }) => cpu)),
  };
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  const keyed = values.map((value) => [Math.random(), value] as const);
  return keyed.sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** Peak memory of the node processes among a process and its children, in MiB. */
function peaksBelow(pid: number): readonly number[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    const own =
      /^VmHWM/m.test(status) && /^Name:\tnode/m.test(status)
        ? [Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024]
        : [];
    return [...own, ...children.filter(Boolean).flatMap((child) => peaksBelow(Number(child)))];
  } catch {
    return []; // it has ended
  }
}

const starts: { node: number[]; crunner: number[] } = { node: [], crunner: [] };
for (let round = 0; round < 3 * Number(rounds); round += 1) {
  starts.node.push((await measure(`'${process.execPath}' -e 0`)).seconds);
  starts.crunner.push((await measure(`${quoted(crunner)} -c true`)).seconds);
}
const [node, ours] = [median(starts.node), median(starts.crunner)];
console.log(
  `start: node -e 0 ${(node * 1000).toFixed(0)} ms, crunner -c true ${(ours * 1000).toFixed(0)} ms: ` +
    `${(ours / node).toFixed(2)} times; load ${loadavg()[0]?.toFixed(1)}`,
);

for (const [name, { line, flags }] of Object.entries(cases)) {
  const ways = {
    sh: line.replace('RUN', 'sh'),
    'sh in a session of its own': line.replace('RUN', 'setsid -w sh'),
    crunner: line.replace('RUN', quoted([...crunner, ...flags])),
  };
  const costs = new Map<string, Cost[]>(Object.keys(ways).map((way) => [way, []]));
  for (let round = 0; round < Number(rounds); round += 1) {
    // In any order: on a busy machine what stands behind what makes more of a difference than what is measured.
    for (const [way, command] of shuffled(Object.entries(ways))) {
      costs.get(way)?.push(await measure(command));
    }
  }
  console.log(`${name}:`);
  const base = summaryOf(costs.get('sh') ?? []);
  for (const [way, all] of costs) {
    const { middle, best, cpu } = summaryOf(all);
    const [wall, least, work] = [base.middle / middle, base.best / best, base.cpu / cpu];
    console.log(
      `  ${way}: median ${middle.toFixed(2)} s (${wall.toFixed(2)} of sh), best ${best.toFixed(2)} s ` +
        `(${least.toFixed(2)}), processor ${cpu.toFixed(2)} s (${work.toFixed(2)})` +
        (way === 'crunner' ? `; less its start ${(base.middle / (middle - ours)).toFixed(2)}` : ''),
    );
  }
  const peak = Math.max(...(costs.get('crunner') ?? []).map(({ mib }) => mib));
  console.log(`  peak memory of crunner: ${peak.toFixed(0)} MiB`);
}
