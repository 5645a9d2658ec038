// For .ci/codeCache.mjs, by NODE_OPTIONS: a program that ends leaves what V8 has compiled of it beside its files.
const { writeFileSync, renameSync } = require('node:fs');
const { dirname, join } = require('node:path');

const program = process.argv[1] ?? '';
const loader = join(dirname(program), 'programLoader.cjs');

process.on('exit', () => {
  const loaded = require.cache[loader];
  if (loaded === undefined) return;
  for (const [name, content] of loaded.exports.compiledSoFar()) {
    const file = join(dirname(loader), name);
    writeFileSync(`${file}.${process.pid}`, content);
    renameSync(`${file}.${process.pid}`, file);
  }
});
