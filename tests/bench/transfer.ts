// Throughput of purl and pfioh beside curl and nginx (without it, a bare node:http file server), in one run, loopback.
//   npm run build && npx tsx tests/bench/transfer.ts [MiB of the large file] [number of small files] [only rows that match]
// none: at least 0.85 of curl; small files: at least as fast as tar and curl; zip of a large one: as `zip -r` and curl,
// and with unpacking as these and `unzip`; memory under 150 MB at both ends. Beside each ratio the processor time of
// all that takes part.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transferMessage } from '../helpers/transfer.ts';
import { type FileServer, nginxVersion, startBare, startNginx } from './fileServers.ts';
import { freshGround } from './ground.ts';
import { missed, row as tell } from './row.ts';
import { peakOf, type Run, sum, timed } from './timed.ts';

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
/** What curl sends to and gets from. */
let served = '';

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
    `${run.processor.toFixed(2)} of ${base.processor.toFixed(2)} s processor`.padStart(26),
    `purl ${run.peakMb.toFixed(0)} MB`.padStart(12),
    `pfioh ${serverMb.toFixed(0)} MB`.padStart(13),
    fits ? '' : `  BELOW (least ${least})`,
  ];
  console.log(cells.join(' '));
  tell({
    what: name,
    limit: `${limitOf(name)}, ${base.seconds.toFixed(2)} s`,
    goal: `${least}, ${MEMORY_LIMIT_MB} MB at each end`,
    measured: `${ratio.toFixed(2)}, ${run.seconds.toFixed(2)} s, ${rate.toFixed(0)} MiB/s; purl ${run.peakMb.toFixed(0)} MB, pfioh ${serverMb.toFixed(0)} MB`,
    processor: `${run.processor.toFixed(2)} and ${base.processor.toFixed(2)} s (${(run.processor / base.processor).toFixed(2)} times)`,
  });
}

const limitOf = (name: string) =>
  name.includes('zip')
    ? `${name.includes('files') ? 'tar' : 'zip'} and curl with ${served}`
    : `curl with ${served}`;

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
  const run = await timed(
    process.execPath,
    [join(bin, 'purl.js'), '--quiet', '--fail', '--http', address, '--msg', msg],
    { servers: [child.pid ?? 0] },
  );
  const serverMb = peakOf(child.pid ?? 0);
  const exited = once(child, 'exit');
  child.kill();
  await exited;
  return { run, serverMb };
}

/** Copies a file of the ground into a folder of it, as `in-curl`. */
async function curl(
  verb: 'push' | 'pull',
  { url, processes: servers }: FileServer,
  name: string,
  place: string,
): Promise<Run> {
  const put = ['-sf', '-T', join(folder, name), `${url}/${basename(place)}/in-curl`];
  const get = ['-sf', '-o', join(place, 'in-curl'), `${url}/${name}`];
  return timed('curl', verb === 'push' ? put : get, { servers });
}

/** What people do without purl: pack, send, and unpack where it arrives. */
async function zipAndCurl(
  verb: 'push' | 'pull',
  server: FileServer,
  what: string,
  place: string,
  unpack: boolean,
): Promise<Run> {
  rmSync(join(folder, 'x.zip'), { force: true });
  const zipped = await timed('zip', ['-qr', 'x.zip', what], { cwd: folder });
  const sent = await curl(verb, server, 'x.zip', place);
  if (!unpack) return sum(zipped, sent);
  const unpacked = await timed('unzip', ['-q', 'in-curl', '-d', 'unzipped'], { cwd: place });
  return sum(zipped, sent, unpacked);
}

/** The quickest way for many small files: each step reads what the one before it writes, where the server lets it. */
async function tarAndCurl(
  verb: 'push' | 'pull',
  { url, processes: servers }: FileServer,
  what: string,
  place: string,
  unpack: boolean,
): Promise<Run> {
  const shell = (line: string, cwd = folder) => timed('sh', ['-ec', line], { cwd, servers });
  const unpacked = join(place, 'untarred');
  mkdirSync(unpacked, { recursive: true });
  if (verb === 'push') {
    const sent = await shell(`tar -cf - ${what} | curl -sf -T - ${url}/${basename(place)}/in-curl`);
    return unpack ? sum(sent, await shell(`tar -xf ../in-curl`, unpacked)) : sent;
  }
  const packed = await shell(`tar -cf x.tar ${what}`);
  const line = `curl -sf ${url}/x.tar | ${unpack ? 'tar -xf -' : 'cat > in-curl'}`;
  return sum(packed, await shell(line, unpacked));
}

interface Case {
  readonly name: string;
  readonly verb: 'push' | 'pull';
  readonly what: 'large' | 'small';
  readonly form: { readonly archive: string; readonly encoding: string; readonly unpack?: boolean };
  readonly least: number;
  /** `place`: a folder of its own. */
  readonly base: (server: FileServer, place: string) => Promise<Run>;
}

function cases(): Case[] {
  return (['push', 'pull'] as const).flatMap((verb) => {
    const plain = (encoding: string, least: number): Case => ({
      name: `${verb} ${largeMib} MiB ${encoding}`,
      verb,
      what: 'large',
      form: { archive: 'none', encoding },
      least,
      base: (server, place) => curl(verb, server, 'large', place),
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
      base: (server, place) =>
        (what === 'large' ? zipAndCurl : tarAndCurl)(verb, server, what, place, unpack),
    });
    const whats = ['large', 'small'] as const;
    return [
      plain('none', 0.85),
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
  const bare =
    nginxVersion() === undefined
      ? await startBare(folder)
      : await startNginx(folder, plot('nginx'));
  served = bare.name;
  console.log(`compared with curl and ${served}`);
  for (const [k, { name, verb, what, form, least, base }] of cases().entries()) {
    if (!only.test(name)) continue;
    const [theirs, mine] = [plot(`${k}-compared`), plot(`${k}-ours`)];
    const bases: Run[] = [];
    const ours: Awaited<ReturnType<typeof measure>>[] = [];
    for (let round = 0; round < (form.archive === 'none' ? ROUNDS : 1); round += 1) {
      empty(theirs, what);
      bases.push(await base(bare, theirs));
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
  await bare.close();
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) missed(failures.join(', '));
