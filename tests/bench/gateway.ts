import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { httpRequest, runLoad } from './load.ts';

/** The gateway beside a bare node:http server, in turns. `tsx tests/bench/gateway.ts [rounds] [seconds]` */
const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);
const request = httpRequest('/api/v1/cmd', {
  payload: { action: 'hello', meta: { askAbout: 'echoBack', echoBack: 'f' } },
});

async function serverOf(kind: string) {
  const file = fileURLToPath(new URL('echoServer.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, file, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(String(line)) };
}

const bare = await serverOf('bare');
const gateway = await serverOf('gateway');
const ratios: number[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const load = (port: number) => runLoad({ port, connections: 32, seconds, request });
  const ours = await load(gateway.port);
  const theirs = await load(bare.port);
  // The first round warms both up.
  if (round === 0) continue;
  ratios.push(ours.perSecond / theirs.perSecond);
  process.stdout.write(
    `gateway ${ours.perSecond}/s (p99 ${ours.p99Ms.toFixed(1)} ms), bare ${theirs.perSecond}/s (p99 ${theirs.p99Ms.toFixed(1)} ms), ratio ${ratios.at(-1)?.toFixed(2)}, errors ${ours.errors + theirs.errors}\n`,
  );
}
ratios.sort((a, b) => a - b);
process.stdout.write(`median ratio ${ratios[Math.floor(ratios.length / 2)]?.toFixed(2)}\n`);
bare.child.kill();
gateway.child.kill();
