#!/usr/bin/env node
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, readPmanDoConfig } from '../lib/config/pmanDo.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { VERSION } from '../lib/version.ts';
import { dumps } from '../lib/wire/pythonJson.ts';

async function main(): Promise<void> {
  const asked = readPmanDoConfig({ argv: process.argv.slice(2), env: process.env });
  if (asked.kind === 'print') process.stdout.write(asked.text);
  else if (asked.kind === 'version') console.log(`Version: ${VERSION}`);
  else if (asked.kind !== 'run') console.log(command().helpInformation());
  else {
    const { saveTo, directive, waitMs, verbosity } = asked.config;
    if (directive === undefined) {
      if (verbosity > 0) console.error('pman_do: nothing was written: give --msg, or --op DBclean');
      return;
    }
    await sleep(waitMs);
    // Renamed into place: pman never sees half of it.
    const draft = `${saveTo}.new-${process.pid}`;
    writeFileSync(draft, dumps(directive, 4));
    renameSync(draft, saveTo);
    if (verbosity > 0) console.log(`pman_do: wrote ${saveTo}`);
  }
}

main().catch((error: unknown) => {
  console.error(`pman_do: ${messageOf(error)}`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
