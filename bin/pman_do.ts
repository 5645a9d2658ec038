#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { command, readPmanDoConfig } from '../lib/config/pmanDo.ts';
import { errorReport } from '../lib/errorReport.ts';
import { messageOf, PmanError, UsageError } from '../lib/errors.ts';
import { replaceFile } from '../lib/host/atomicFile.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { VERSION } from '../lib/version.ts';
import { dumps } from '../lib/wire/pythonJson.ts';

async function main(): Promise<void> {
  const asked = readPmanDoConfig({ argv: process.argv.slice(2), env: process.env });
  if (asked.kind === 'print') process.stdout.write(asked.text);
  else if (asked.kind === 'version') console.log(`Version: ${VERSION}`);
  else if (asked.kind !== 'run') console.log(command().helpInformation());
  else {
    const { saveTo, directive, waitMs, verbosity } = asked.config;
    write(saveTo, dumps(directive, 4));
    if (verbosity > 0) console.log(`pman_do: wrote ${saveTo}`);
    // Time for pman to read and obey it, before what comes next in a script.
    await sleep(waitMs);
  }
}

/** pman never sees half of it, and other users nothing: a command may hold secrets. */
function write(file: string, text: string): void {
  try {
    replaceFile(file, text);
  } catch (error) {
    throw new PmanError('storage', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

heedOutput('pman_do');
main().catch((error: unknown) => {
  console.error(errorReport('pman_do', error));
  if (process.argv.length === 2) console.error(command().helpInformation());
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
