/**
 * What the worst requests cost the others: processor time without a turn, the longest `hello`, memory.
 * Usage: npm run bench:worst [-- <part of a name>]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endure, type Watched } from '../attack/endureWorst.ts';
import { WORST_REQUESTS } from '../attack/worstRequests.ts';
import { startProgram } from './programs.ts';

const wanted = process.argv[2] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'pman-worst-'));
mkdirSync(join(folder, 'store'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const FLAGS = {
  pman: [
    ...['--DBpath', join(folder, 'db'), '--directiveFile', join(folder, 'd.json')],
    // Some of these requests begin jobs.
    ...['--jobsAtExit', 'end'],
  ],
  pfioh: ['--forever', '--storeBase', join(folder, 'store')],
};

async function start(program: 'pman' | 'pfioh'): Promise<Watched & { stop(): Promise<void> }> {
  const watch = join(import.meta.dirname, '../fixtures/busyTime.cjs');
  const file = join(import.meta.dirname, `../../dist/bin/${program}.js`);
  const command = [process.execPath, '--require', watch, file, '--port', '0', ...FLAGS[program]];
  const server = await startProgram(command, /listening on \S+:(\d+)/);
  let stderr = '';
  server.process.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const { pid = 0 } = server.process;
  return { pid, port: server.port, stderr: () => stderr, stop: server.stop };
}

console.log('| to | what | status | busy ms | longest hello ms | MiB more |');
console.log('| --- | --- | --: | --: | --: | --: |');
for (const program of ['pman', 'pfioh'] as const) {
  const server = await start(program);
  for (const worst of WORST_REQUESTS) {
    if (worst.to !== program || !worst.name.includes(wanted)) continue;
    const { status, busyMs, helloMs, moreMib } = await endure(server, worst);
    const cells = [program, worst.name, status ?? 'closed'];
    cells.push(busyMs.toFixed(0), helloMs.toFixed(0), moreMib.toFixed(0));
    console.log(`| ${cells.join(' | ')} |`);
  }
  await server.stop();
}
