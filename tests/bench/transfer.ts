// Throughput of purl and pfioh beside curl and a bare node:http file server, in one run, loopback.
//   npm run build && npx tsx tests/bench/transfer.ts [MiB of the large file] [number of small files] [only rows that match]
// none: at least 0.7 of curl; zip: at least as fast as `zip -r` and curl, and with unpacking as these and
// `unzip`; memory under 150 MB at both ends.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { transferMessage } from '../helpers/transfer.ts';
import { freshGround } from './ground.ts';

const MIB = 1024 ** 2;
const largeMib = Number(process.argv[2] ?? 1024);
const smallFiles = Number(process.argv[3] ?? 20_000);
const only = new RegExp(process.argv[4] ?? '');
const MEMORY_LIMIT_MB = 150;
/** How often a file is sent as it is, of which the quickest counts. */
const ROUNDS = 5;
const { folder, plot } = freshGround('transfer-bench');
const bin = join(import.meta.dirname, '../../dist/bin');
const failures: string[] = [];

/** Half of it deflates, half does not, in turns of 1 MiB. */
function makeLarge(path: string): void {
  const fd = openSync(path, 'w');
  const text = Buffer.from(
    Array.from({ length: 40_000 }, (_, i) => `line ${i * 7919} of the log\n`).join(''),
  ).subarray(0, MIB);
  for (let i = 0; i < largeMib; i += 1) writeSync(fd, i % 2 === 0 ? randomBytes(MIB) : text);
  closeSync(fd);
}

function makeSmall(path: string): void {
  for (let i = 0; i < smallFiles; i += 1) {
    const sub = join(path, `d${i % 100}`);
    if (i < 100) mkdirSync(sub, { recursive: true });
    writeFileSync(
      join(sub, `f${i}`),
      Buffer.concat([randomBytes(2048), Buffer.alloc(2048, `file ${i} `)]),
    );
  }
}

interface Run {
  readonly seconds: number;
  readonly peakMb: number;
}

function peakOf(pid: number): number {
  try {
    return (
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    );
  } catch {
    return 0; // It has just ended.
  }
}

/** Runs a command to its end and watches its memory. */
async function timed(command: string, args: readonly string[], cwd = folder): Promise<Run> {
  const started = performance.now();
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  let peakMb = 0;
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid ?? 0));
  }, 20);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ').slice(0, 200)} ended with ${String(code)}`);
  return { seconds: (performance.now() - started) / 1000, peakMb };
}

async function startPfioh(): Promise<{ child: ChildProcess; address: string }> {
  const args = [
    join(bin, 'pfioh.js'),
    '--port',
    '0',
    '--forever',
    '-v',
    '0',
    '--storeBase',
    folder,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const address = /http:\/\/(\S+)/.exec(text)?.[1];
    if (address !== undefined) return { child, address };
  }
  throw new Error('pfioh did not start');
}

/** A file server as plain as can be: GET sends a file, PUT stores one. */
function startBare(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const path = join(folder, request.url ?? '/');
    const work =
      request.method === 'PUT'
        ? pipeline(request, createWriteStream(path)).then(() => response.end())
        : pipeline(
            createReadStream(path),
            response.setHeader('Content-Length', statSync(path).size),
          );
    work.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${port}`, close: () => server.close() });
    });
  });
}

function row(
  name: string,
  run: Run,
  bytes: number,
  serverMb: number,
  base: Run,
  least: number,
): void {
  const rate = bytes / MIB / run.seconds;
  const ratio = base.seconds / run.seconds;
  const fits = ratio >= least && Math.max(run.peakMb, serverMb) < MEMORY_LIMIT_MB;
  if (!fits) failures.push(name);
  const cells = [
    name.padEnd(38),
    `${run.seconds.toFixed(2)} s`.padStart(9),
    `${rate.toFixed(0)} MiB/s`.padStart(11),
    `${ratio.toFixed(2)} of ${base.seconds.toFixed(2)} s`.padStart(17),
    `purl ${run.peakMb.toFixed(0)} MB`.padStart(12),
    `pfioh ${serverMb.toFixed(0)} MB`.padStart(13),
    fits ? '' : `  BELOW (least ${least})`,
  ];
  console.log(cells.join(' '));
}

async function measure(
  verb: 'push' | 'pull',
  what: 'large' | 'small',
  form: { archive: string; encoding: string },
  place: string,
) {
  const { child, address } = await startPfioh();
  const source = join(folder, what);
  const ends =
    verb === 'push' ? { local: source, remote: place } : { local: place, remote: source };
  const msg = transferMessage(`${verb}Path`, { ...ends, ...form });
  const run = await timed(process.execPath, [
    join(bin, 'purl.js'),
    '--quiet',
    '--fail',
    '--http',
    address,
    '--msg',
    msg,
  ]);
  const serverMb = peakOf(child.pid ?? 0);
  child.kill();
  return { run, serverMb };
}

/** Copies a file of the ground into a folder of it, as `in-curl`. */
async function curl(verb: 'push' | 'pull', url: string, name: string, place: string): Promise<Run> {
  const put = ['-sf', '-T', join(folder, name), `${url}/${basename(place)}/in-curl`];
  const get = ['-sf', '-o', join(place, 'in-curl'), `${url}/${name}`];
  return timed('curl', verb === 'push' ? put : get);
}

/** What people do without purl: pack, send, and unpack where it arrives. */
async function zipAndCurl(
  verb: 'push' | 'pull',
  url: string,
  what: string,
  place: string,
  unpack: boolean,
): Promise<Run> {
  rmSync(join(folder, 'x.zip'), { force: true });
  const zipped = await timed('zip', ['-qr', 'x.zip', what]);
  const sent = await curl(verb, url, 'x.zip', place);
  const unpacked = unpack
    ? await timed('unzip', ['-q', 'in-curl', '-d', 'unzipped'], place)
    : { seconds: 0 };
  return { seconds: zipped.seconds + sent.seconds + unpacked.seconds, peakMb: 0 };
}

interface Case {
  readonly name: string;
  readonly verb: 'push' | 'pull';
  readonly what: 'large' | 'small';
  readonly form: { readonly archive: string; readonly encoding: string; readonly unpack?: boolean };
  readonly least: number;
  /** `place`: a folder of its own. */
  readonly base: (url: string, place: string) => Promise<Run>;
}

function cases(): Case[] {
  return (['push', 'pull'] as const).flatMap((verb) => {
    const plain = (encoding: string, least: number): Case => ({
      name: `${verb} ${largeMib} MiB ${encoding}`,
      verb,
      what: 'large',
      form: { archive: 'none', encoding },
      least,
      base: (url, place) => curl(verb, url, 'large', place),
    });
    const zipped = (
      what: 'large' | 'small',
      encoding: string,
      unpack: boolean,
      least: number,
    ): Case => ({
      name: `${verb} ${what === 'large' ? `${largeMib} MiB` : `${smallFiles} files`} zip ${encoding}${unpack ? ' unpacked' : ''}`,
      verb,
      what,
      form: { archive: 'zip', encoding, unpack },
      least,
      base: (url, place) => zipAndCurl(verb, url, what, place, unpack),
    });
    const whats = ['large', 'small'] as const;
    return [
      plain('none', 0.7),
      plain('base64', 0),
      ...whats.flatMap((what) => [
        zipped(what, 'none', false, 1),
        zipped(what, 'none', true, 1),
        zipped(what, 'base64', true, 0),
      ]),
    ];
  });
}

/** Removes what was written there, unless these are many files: those stay until the end (see freshGround). */
function empty(place: string, what: 'large' | 'small'): void {
  if (what === 'large') {
    rmSync(place, { recursive: true });
    mkdirSync(place);
  }
  // What was written before would otherwise be written back during the next measurement.
  spawnSync('sync');
}

/** The quickest run: memory that a virtual machine has to ask its host for costs a large file more than all else does. */
function best<T>(runs: readonly T[], secondsOf: (run: T) => number): T {
  const [first, ...others] = runs;
  if (first === undefined) throw new Error('no runs');
  return others.reduce((a, b) => (secondsOf(b) < secondsOf(a) ? b : a), first);
}

async function main(): Promise<void> {
  makeLarge(join(folder, 'large'));
  makeSmall(join(folder, 'small'));
  const bare = await startBare();
  for (const [k, { name, verb, what, form, least, base }] of cases().entries()) {
    if (!only.test(name)) continue;
    const [theirs, mine] = [plot(`${k}-compared`), plot(`${k}-ours`)];
    const bases: Run[] = [];
    const ours: Awaited<ReturnType<typeof measure>>[] = [];
    for (let round = 0; round < (form.archive === 'none' ? ROUNDS : 1); round += 1) {
      empty(theirs, what);
      bases.push(await base(bare.url, theirs));
      empty(mine, what);
      ours.push(await measure(verb, what, form, mine));
    }
    const compared = best(bases, ({ seconds }) => seconds);
    const { run, serverMb } = best(ours, ({ run: { seconds } }) => seconds);
    row(
      name,
      run,
      what === 'large' ? largeMib * MIB : smallFiles * 4096,
      serverMb,
      compared,
      least,
    );
    for (const place of [theirs, mine]) empty(place, what);
  }
  bare.close();
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.log(`below what is wanted: ${failures.join(', ')}`);
  process.exitCode = 1;
}
