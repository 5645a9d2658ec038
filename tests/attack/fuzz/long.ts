/**
 * Attacks both programs, or one, with many mutated requests:
 * `tsx tests/attack/fuzz/long.ts [pman|pfioh|both] [count] [seed] [first]`.
 * With the numbers that a fault names, and the count 1, the request is sent again.
 */
import { fuzz } from './fuzz.ts';

const [which = 'both', count = '1000000', seed = '1', first = '0'] = process.argv.slice(2);
const programs = (['pman', 'pfioh'] as const).filter((one) => which === one || which === 'both');
if (programs.length === 0) {
  console.error('usage: tsx tests/attack/fuzz/long.ts [pman|pfioh|both] [count] [seed] [first]');
  process.exit(2);
}
let faulty = false;
for (const program of programs) {
  const started = performance.now();
  const report = await fuzz({
    ...{ program, count: Number(count), seed: Number(seed), first: Number(first) },
    tell: (line) => console.error(`${program}: ${line}`),
  });
  const { faults, ...figures } = report;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(JSON.stringify({ program, count, seed, seconds, ...figures }));
  for (const fault of faults) console.log(`FAULT ${fault}`);
  faulty ||= faults.length > 0;
}
process.exit(faulty ? 1 : 0);
