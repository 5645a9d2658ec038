// Records the first minutes with pman as a picture that moves: runs real commands on a terminal (util-linux' script), and
// writes docs/images/first-job.svg, light and dark by the reader's own choice. Plain JavaScript without dependencies.
//
//   node .ci/recording.mjs
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const COMMANDS = [
  `pman run -f 'echo hello; uname -s'`,
  'pman run -f --name bad -- ls /nowhere',
  `pman run --name long 'sleep 600'`,
  'pman ls',
  'pman kill long',
  'pman ls failed',
];
const COLUMNS = 80;
const FONT = 14;
const LINE = 20;
const CHARACTER = 8.43;
/** Seconds for a typed character, and between two commands. */
const TYPED = 0.05;
const PAUSE = 1;

const folder = mkdtempSync(join(tmpdir(), 'pman-recording-'));
const bin = join(folder, '.bin');
mkdirSync(bin);
writeFileSync(
  join(bin, 'pman'),
  `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/bin/pman.cjs')}' "$@"\n`,
  { mode: 0o755 },
);
const env = {
  ...{ HOME: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8', USER: 'ana' },
  ...{ COLUMNS: String(COLUMNS), LINES: '40', PATH: `${bin}:${process.env.PATH}` },
  PMAN_DIRECTIVEFILE: join(folder, '.directive'),
};

async function startPman() {
  const flags = ['--port', '0', '--DBpath', join(folder, 'db'), '--jobsAtExit', 'end'];
  const child = spawn(join(bin, 'pman'), flags, {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  const port = await new Promise((done, fail) => {
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const [, found] = /listening on \S+:(\d+)/.exec(text) ?? [];
      if (found) done(found);
    });
    child.once('exit', () => fail(new Error(text)));
  });
  return { child, port };
}

/** What a command shows on a terminal, as lines. */
function shown(command, port) {
  const line = `stty cols ${COLUMNS} rows 40; ${command}`;
  const { stdout } = spawnSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    ...{ cwd: folder, encoding: 'utf8', input: '' },
    env: { ...env, PMAN_URL: `http://127.0.0.1:${port}` },
  });
  const text = stdout
    .replaceAll('^D\b\b', '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\n]*\r/g, '');
  return text.replace(/\n$/, '').split('\n');
}

const CLASSES = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  35: 'magenta',
  36: 'cyan',
};
const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A line with its colours as spans of SVG. */
function spans(line) {
  let classes = new Set();
  let made = '';
  for (const piece of `[m${line}`.split('\u001b')) {
    const [, codes, text] = /^\[([\d;?]*)[A-Za-z](.*)$/s.exec(piece) ?? [];
    for (const code of (codes ?? '').split(';').map(Number)) {
      if (code === 0) classes = new Set();
      else if (code === 22) for (const name of ['bold', 'dim']) classes.delete(name);
      else if (code === 39)
        classes = new Set([...classes].filter((name) => ['bold', 'dim'].includes(name)));
      else if (CLASSES[code]) classes.add(CLASSES[code]);
    }
    if (!text) continue;
    made +=
      classes.size === 0
        ? escaped(text)
        : `<tspan class="${[...classes].join(' ')}">${escaped(text)}</tspan>`;
  }
  return made;
}

function picture(lines) {
  const width = Math.ceil(COLUMNS * CHARACTER + 32);
  const height = lines.length * LINE + 28;
  const texts = lines.map(
    ({ text, at }, i) =>
      `<text x="16" y="${i * LINE + 26}" style="animation-delay:${at.toFixed(2)}s">${text}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A first job with pman, on a terminal">
<style>
  :root { --bg: #f6f7f9; --text: #1b1f24; --dim: #566070; --red: #b3231b; --green: #00695c; --cyan: #0a5fb8; --magenta: #8e2f8a; --yellow: #7a4e00 }
  @media (prefers-color-scheme: dark) {
    :root { --bg: #0a0d11; --text: #e6eaef; --dim: #9aa6b5; --red: #ff7b6e; --green: #4fd6be; --cyan: #79b8ff; --magenta: #e79cf0; --yellow: #f0b84d }
  }
  rect { fill: var(--bg) }
  text { fill: var(--text); font: ${FONT}px ui-monospace, Menlo, Consolas, monospace; white-space: pre; opacity: 0; animation: show 0.01s forwards }
  @keyframes show { to { opacity: 1 } }
  @media (prefers-reduced-motion: reduce) { text { animation: none; opacity: 1 } }
  .bold { font-weight: bold } .dim { fill: var(--dim) } .red { fill: var(--red) } .green { fill: var(--green) }
  .yellow { fill: var(--yellow) } .blue, .cyan { fill: var(--cyan) } .magenta { fill: var(--magenta) }
</style>
<rect width="${width}" height="${height}" rx="8"/>
${texts.join('\n')}
</svg>
`;
}

const { child, port } = await startPman();
try {
  const lines = [];
  let at = 0.5;
  for (const command of COMMANDS) {
    lines.push({
      text: `<tspan class="dim">$</tspan> <tspan class="bold">${escaped(command)}</tspan>`,
      at,
    });
    at += command.length * TYPED;
    for (const line of shown(command, port)) lines.push({ text: spans(line), at });
    at += PAUSE;
  }
  mkdirSync('docs/images', { recursive: true });
  writeFileSync('docs/images/first-job.svg', picture(lines));
  console.log(`docs/images/first-job.svg: ${lines.length} lines, ${at.toFixed(1)} s`);
} finally {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
