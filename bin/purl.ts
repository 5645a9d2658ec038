#!/usr/bin/env node
import { basename } from 'node:path';
import { readFilesFlags, readPurlFlags } from '../lib/config/purl.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { refuseForeignWords } from '../lib/foreignBytes.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { EXIT_CODES } from '../lib/purl/failure.ts';
import { runFiles } from '../lib/purl/folders/runFiles.ts';
import { runPurl } from '../lib/purl/runPurl.ts';

const name = basename(process.argv[1] ?? 'purl').replace(/\.c?[jt]s$/, '');
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The first signal ends tidily; a second one at once.
    if (interrupt.signal.aborted) process.exit(EXIT_CODES.interrupted);
    interrupt.abort();
  });
}
heedOutput(name, EXIT_CODES.localWrite);

async function main(): Promise<number> {
  try {
    const argv = process.argv.slice(2);
    refuseForeignWords(argv);
    const { stdin, stdout, stderr } = process;
    const io = { stdin, stdout, stderr, name, signal: interrupt.signal };
    if (argv[0] === 'push' || argv[0] === 'pull') {
      const line = readFilesFlags(argv.slice(1), argv[0], name);
      return await runFiles(argv[0], line, io, process.env);
    }
    const line = readPurlFlags(argv, name);
    if (line.kind === 'print') {
      process.stdout.write(line.text);
      return 0;
    }
    return await runPurl(line.config, io);
  } catch (error) {
    console.error(`${name}: ${messageOf(error)}`);
    if (!(error instanceof UsageError)) return EXIT_CODES.refused;
    console.error(
      `usage: ${name} --http HOST:PORT/PATH [--msg JSON]; ${name} --help lists the flags`,
    );
    return EXIT_CODES.usage;
  }
}

// No await: this program is bundled as a CommonJS module, which has none at its top.
void main().then((status) => {
  process.exitCode = status;
});
