// The demo behind `npm run demo`: a pman of its own, spoken to through purl as a user would.
// Plain JavaScript that needs nothing but the built package; it leaves nothing behind.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const programs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/bin');
const folder = mkdtempSync(join(tmpdir(), 'pman-demo-'));
const database = join(folder, 'db');
let port = 0;

const say = (text) => console.log(`\n\u2500\u2500 ${text}`);
const program = (name) => join(programs, `${name}.js`);

/** Starts pman on a free port; resolves when it listens. */
function startPman() {
  const flags = ['--port', '0', '--http', '--DBpath', database, '--verbosity', '0'];
  const child = spawn(
    process.execPath,
    [program('pman'), ...flags, '--directiveFile', join(folder, 'd_msg.json')],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const listening = new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const [, found] = /listening on tcp:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? [];
      if (found) resolve(Number(found));
    });
    void exited.then((code) => reject(new Error(`pman ended with ${code}: ${text}`)));
  });
  return { child, exited, listening };
}

/** One message to pman through purl; the answer's d_ret. */
function purl(action, meta) {
  const message = JSON.stringify({ action, meta });
  const args = ['--verb', 'POST', '--http', `127.0.0.1:${port}/api/v1/cmd`, '--raw', '--quiet'];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [program('purl'), ...args, '--jsonwrapper', 'payload', '--msg', message],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`purl ended with ${status}: ${stderr || stdout}`);
  const answer = JSON.parse(stdout);
  if (answer.status !== true)
    throw new Error(`pman refused ${action}: ${JSON.stringify(answer.error)}`);
  return answer.d_ret;
}

const stateOf = (jid) => purl('status', { key: 'jid', value: jid }).l_status[0];

async function untilEnded(jid) {
  for (let state = ''; ; await sleep(250)) {
    const now = stateOf(jid);
    if (now !== state) console.log(`   ${jid}: ${now}`);
    state = now;
    if (now !== 'started' && now !== 'notstarted') return;
  }
}

function printTree(path, indent = '   ') {
  for (const name of readdirSync(path).sort()) {
    const entry = join(path, name);
    if (statSync(entry).isDirectory()) {
      console.log(`${indent}${name}/`);
      printTree(entry, `${indent}  `);
    } else {
      const text = readFileSync(entry, 'utf8');
      console.log(`${indent}${name}: ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`);
    }
  }
}

const pman = startPman();
try {
  port = await pman.listening;
  say(`pman listens on 127.0.0.1:${port}, its database is ${database}`);
  const { version, sysinfo } = purl('hello', { askAbout: 'sysinfo' });
  console.log(`   pman ${version} on ${sysinfo.platform}, ${sysinfo.cpucount} processors`);

  say('a job of three commands, the second of which fails');
  const cmd = 'sleep 1; ls /no/such/folder; echo "done on $(uname -s)"';
  console.log(`   $ ${cmd}`);
  purl('run', { cmd, auid: 'demo', jid: 'first', threaded: true });
  await untilEnded('first');
  const { 0: result } = purl('result', { key: 'jid', value: 'first' });
  for (const [i, part] of result.cmd.entries()) {
    console.log(`   [${i}] ${part.trim()}`);
    console.log(`       return code ${result.returncode[i]}`);
    if (result.stdout[i]) console.log(`       stdout: ${result.stdout[i].trim()}`);
    if (result.stderr[i]) console.log(`       stderr: ${result.stderr[i].trim()}`);
  }

  say('a second job, killed while it runs');
  purl('run', { cmd: 'sleep 1000', auid: 'demo', jid: 'second', threaded: true });
  while (stateOf('second') !== 'started') await sleep(50);
  console.log('   second: started');
  purl('kill', { key: 'jid', value: 'second' });
  await untilEnded('second');
  const { 0: killed } = purl('result', { key: 'jid', value: 'second' });
  console.log(`   return code ${killed.returncode[0]}: ${killed.cause[0]}`);

  say('the database, as files');
  purl('DBctl', { do: 'save' });
  printTree(database);

  say('pman is asked to quit');
  purl('quit', {});
  console.log(`   exit code ${await pman.exited}`);
} finally {
  pman.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
