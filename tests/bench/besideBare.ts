import { readFileSync } from 'node:fs';
import { type LoadResult, runLoad } from './load.ts';
import { type BenchServer, median } from './programs.ts';
import { row } from './row.ts';

const CONNECTIONS = 32;
const TURNS = 3;

export interface Comparison {
  readonly name: string;
  readonly pman: BenchServer;
  readonly bare: BenchServer;
  /** The whole request as text. */
  readonly request: string;
  readonly seconds: number;
  readonly tls?: boolean;
  /** The ratio that is wanted; default: none is. */
  readonly goal?: string;
}

/**
 * Says how many requests a second pman answers beside a bare server that does the same work, and what processor time a
 * request takes of each. They take turns, so that what else the machine does strikes both alike.
 */
export async function besideBare(comparison: Comparison) {
  const { name, pman, bare, request, seconds, tls = false, goal = '' } = comparison;
  const rounds: { pman: LoadResult; bare: LoadResult }[] = [];
  const before = [pman, bare].map(processorMs);
  const load = ({ port }: BenchServer, during: number) =>
    runLoad({ port, connections: CONNECTIONS, seconds: during, request, tls });
  const warmUp = {
    pman: (await load(pman, 1)).requests,
    bare: (await load(bare, 1)).requests,
  };
  for (let i = 0; i < TURNS; i += 1) {
    rounds.push({ bare: await load(bare, seconds), pman: await load(pman, seconds) });
  }
  const ours = median(rounds.map((round) => round.pman.perSecond));
  const limit = median(rounds.map((round) => round.bare.perSecond));
  const [ourMs, limitMs] = [pman, bare].map((server, i) => processorMs(server) - (before[i] ?? 0));
  const [ourCount, limitCount] = (['pman', 'bare'] as const).map((side) =>
    rounds.reduce((sum, round) => sum + round[side].requests, warmUp[side]),
  );
  const each = (ms = 0, count = 1) => `${((1000 * ms) / count).toFixed(0)} µs`;
  const errors = rounds.reduce((sum, round) => sum + round.pman.errors, 0);
  row({
    what: errors === 0 ? name : `${name}, ${errors} ERRORS`,
    limit: `bare node:${tls ? 'https' : 'http'}, ${limit.toFixed(0)}/s`,
    goal,
    measured: `${(ours / limit).toFixed(2)}, ${ours.toFixed(0)}/s`,
    processor: `${each(ourMs, ourCount)} and ${each(limitMs, limitCount)} a request`,
  });
}

/** The processor time that a server has taken so far (proc(5): ticks of 10 ms); other work does not change it much. */
function processorMs({ process: child }: BenchServer): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
