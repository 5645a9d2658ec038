// Puts each program of bin/ with all it imports into a few files of <folder>/bin/: reading hundreds of small modules would
// take most of a program's start (docs/decisions/0005). What is native, or needed seldom, stays a package of its own.
// Usage: node .ci/bundle.mjs [folder]; the folder is dist unless one is named.
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';

const folder = process.argv[2] ?? 'dist';
const bin = join(folder, 'bin');

const common = {
  outdir: bin,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'linked',
  external: ['zeromq', 'koffi', 'dockerode', 'docker-modem', '@kubernetes/client-node'],
  logLevel: 'warning',
};

/** What programs import (package.json, "exports"), beside the programs, whose code and whose processes they share. */
const modules = [
  ['pmanModule', 'lib/modules/pmanServer.ts'],
  ['pfiohModule', 'lib/modules/pfiohServer.ts'],
  ['purlModule', 'lib/modules/purlTransfer.ts'],
  ['filesModule', 'lib/modules/clientFiles.ts'],
  ['crunnerModule', 'crunner/index.ts'],
  ['swarmModule', 'swarm/index.ts'],
  ['openshiftModule', 'openshift/index.ts'],
];

/** zod brings its messages in fifty languages, which are half of it; pman says everything in English. */
const oneLanguage = {
  name: 'one language',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/zod/') ? { path: 'locales', namespace: 'one-language' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'one-language' }, () => ({ contents: 'export {};' }));
  },
};

/** Packages that cannot be required. */
const esModules = ['@kubernetes/client-node'];

/** Programs that are bundled by themselves. */
const alone = ['crunner', 'pman', 'pmanServe'];

/** What a quick program needs seldom and what takes long to load: files of their own, among the other programs. */
const slowParts = {
  'pmanServe.ts': 'pmanServe.cjs',
  'tokenVerb.ts': 'tokenVerb.cjs',
  'programFlags.ts': 'programFlags.cjs',
  'filesWork.ts': 'filesWork.cjs',
};

await bundleModules();
await bundleServer();
await bundleCrunner();
await bundlePrograms();
await bundleLoader();
await bundlePman();
await bundleClient();
await bundlePage();
// Also in an image, where nothing else is built, each is a command.
for (const file of readdirSync(bin)) if (/\.c?js$/.test(file)) chmodSync(join(bin, file), 0o755);

/** ES modules, for other programs, and the threads that these and ours start. */
async function bundleModules() {
  await build({
    ...common,
    entryPoints: Object.fromEntries([
      ...modules,
      ['lineWorker', 'lib/lines/lineWorker.ts'],
      ['splitWorker', 'crunner/command/splitWorker.ts'],
    ]),
    sourcemap: true,
    plugins: [oneLanguage],
    // Packages in the older module format call require for parts of Node itself.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

/** The server and crunner are made alone: each in one file, but for what it seldom needs. */
async function bundleServer() {
  await bundleForLoader({ pmanServe: 'bin/pmanServe.ts' });
}

async function bundleCrunner() {
  await bundleForLoader({ crunner: 'bin/crunner.ts' });
}

async function bundlePrograms() {
  const programs = readdirSync('bin')
    .map((file) => basename(file, '.ts'))
    .filter((name, i, all) => all.indexOf(name) === i)
    .filter((name) => existsSync(`bin/${name}.ts`) && !alone.includes(name));
  await bundleForLoader({
    ...Object.fromEntries(programs.map((name) => [name, `bin/${name}.ts`])),
    // The runner, the process of file transfer endpoints and the like are found beside the program that starts them.
    runnerProcess: 'crunner/detached/runnerProcess.ts',
    outputCopierProcess: 'crunner/detached/outputCopierProcess.ts',
    endpointProcess: 'lib/fileio/endpointProcess.ts',
    tokenVerb: 'lib/verbs/tokenVerb.ts',
    programFlags: 'lib/verbs/programFlags.ts',
    filesWork: 'lib/verbs/filesWork.ts',
  });
}

/**
 * Programs as lib/programLoader.ts loads them: the compiled code that .ci/codeCache.mjs keeps beside them goes with their
 * files by the names of these, which change with what is in them.
 */
async function bundleForLoader(entryPoints) {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints,
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': '__fileUrl' },
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160, // so that the trace of a fault names a place
    legalComments: 'linked',
    sourcemap: 'inline',
    metafile: true,
    write: false,
    plugins: [oneLanguage],
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const isUsedBy = (name, each) =>
    new RegExp(`from *"${each}"`).test(texts.get(basename(name)) ?? '');
  for (const { path, text } of outputFiles) {
    if (!path.endsWith('.cjs')) {
      writeFileSync(path, text);
      continue;
    }
    const { code, map } = await transform(text.replace(/^#!.*\n/, ''), {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      minifyWhitespace: true,
      lineLimit: 160,
      sourcemap: 'external',
      sourcefile: basename(path),
    });
    // The loader imports what is named here: parts of the program are loaded as the program is, and before them the
    // packages that a part uses and that are ES modules. V8 itself cannot import from a file that it has not compiled.
    const own = code.replace(/\bimport\("([^"]+)"\)/g, (_, name) => {
      const packages = JSON.stringify(esModules.filter((each) => isUsedBy(name, each)));
      return `__import("${name}"${packages === '[]' ? '' : `,${packages}`})`;
    });
    const url = own.includes('__fileUrl')
      ? "const __fileUrl=require('node:url').pathToFileURL(__filename).href;"
      : '';
    const head = `(function(exports,require,module,__filename,__dirname,__import){${url}`;
    writeFileSync(path, `${head}${own}})\n//# sourceMappingURL=${basename(path)}.map\n`);
    writeFileSync(`${path}.map`, map);
  }
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    const [name] = Object.entries(entryPoints).find(([, file]) => file === entryPoint) ?? [];
    if (name === undefined) continue;
    const lines = [
      '#!/usr/bin/env node',
      `module.exports = require('./programLoader.cjs').load('${basename(path)}');`,
    ];
    writeFileSync(join(bin, `${name}.cjs`), `${lines.join('\n')}\n`);
    writeDoor(name);
  }
}

async function bundleLoader() {
  await build({
    ...common,
    splitting: false,
    entryPoints: { programLoader: 'lib/programLoader.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
  });
}

/** The client is one small file that browsers take as it is: nothing of Node, and no package. */
async function bundleClient() {
  await build({
    entryPoints: { pmanClient: 'lib/client/index.ts' },
    outdir: join(folder, 'client'),
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['es2022', 'node20'],
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
  });
}

/**
 * The page: a document, and what it loads, in names that change with what is in them; compressed here, once, as far as it
 * goes.
 */
async function bundlePage() {
  const source = 'lib/page/browser';
  const place = join(folder, 'page');
  // A file of its own: windows share it, and no first screen waits for it.
  const worker = await build({
    entryPoints: { stream: `${source}/stream/worker.ts` },
    outdir: place,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    metafile: true,
    logLevel: 'warning',
  });
  const [stream] = Object.keys(worker.metafile.outputs);
  const { metafile } = await build({
    entryPoints: { page: `${source}/main.tsx`, styles: `${source}/styles.css` },
    outdir: place,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: {
      'process.env.NODE_ENV': '"production"',
      STREAM_SCRIPT: JSON.stringify(`/ui/${basename(stream)}`),
    },
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  });
  const madeOf = (entry) =>
    Object.entries(metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === `${source}/${entry}`,
    );
  const [script, { imports }] = madeOf('main.tsx');
  // What the script imports at its start is asked for together with it.
  const first = imports.filter(({ kind }) => kind === 'import-statement');
  const early = first.map(
    ({ path }) => `<link rel="modulepreload" href="/ui/${basename(path)}">\n`,
  );
  const html = readFileSync(`${source}/index.html`, 'utf8')
    .replace('page.js', basename(script))
    .replace('styles.css', basename(madeOf('styles.css')[0]))
    .replace('<script', `${early.join('')}<script`);
  writeFileSync(join(place, 'index.html'), html);
  for (const file of readdirSync(`${source}/icons`)) {
    writeFileSync(join(place, file), readFileSync(`${source}/icons/${file}`));
  }
  for (const name of readdirSync(place)) {
    const bytes = readFileSync(join(place, name));
    writeFileSync(join(place, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    writeFileSync(join(place, `${name}.br`), brotliCompressSync(bytes));
  }
}

/**
 * The verbs of pman are one file: what a verb imports is in it, and runs when the verb does. What is slow stays out, and is
 * imported as the ES module that it is.
 */
async function bundlePman() {
  await build({
    ...common,
    splitting: false,
    entryPoints: { pman: 'bin/pman.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    supported: { 'dynamic-import': false }, // import() would start the loader for ES modules
    minifyWhitespace: true,
    lineLimit: 160,
    sourcemap: true,
    plugins: [
      {
        name: 'slow parts',
        setup({ onResolve }) {
          onResolve({ filter: /\.ts$/ }, ({ path, kind }) => {
            const part = kind === 'dynamic-import' ? slowParts[basename(path)] : undefined;
            return part === undefined ? undefined : { path: `./${part}`, external: true };
          });
        },
      },
    ],
  });
  writeDoor('pman');
}

/** The name that the other programs have, for those who start the file itself. */
function writeDoor(name) {
  // Not by import: that would read the file for the names which it exports.
  const lines = [
    '#!/usr/bin/env node',
    "import { createRequire } from 'node:module';",
    `createRequire(import.meta.url)('./${name}.cjs');`,
  ];
  writeFileSync(join(bin, `${name}.js`), `${lines.join('\n')}\n`);
}
