#!/usr/bin/env node
import { type PfiohConfig, readPfiohFlags } from '../lib/config/pfioh.ts';
import { unknownVariables } from '../lib/config/unknownVariables.ts';
import { errorReport } from '../lib/errorReport.ts';
import { UsageError } from '../lib/errors.ts';
import { refuseForeignWords } from '../lib/foreignBytes.ts';
import { LOST_FOLDER, leaveLostFolder } from '../lib/host/workingFolder.ts';
import { makeLogger } from '../lib/log.ts';
import { openPfioh } from '../lib/modules/openPfioh.ts';
import { outliveReaders } from '../lib/outliveReaders.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { VERSION } from '../lib/version.ts';

const SYNOPSIS = `pfioh ${VERSION}

Serves files and folders over HTTP: purl pushes them here and pulls them from here.

  pfioh [--ip ADDRESS] [--port PORT] [--forever] [--storeBase FOLDER] [--createDirsAsNeeded]
        [--enableTokenAuth --tokenPath FILE] [--tlsCert FILE --tlsKey FILE] [--quiet] [-v LEVEL]

pfioh --help lists all flags.
`;

const DESCRIPTION = `${SYNOPSIS}
With --storeBase no request reaches anything outside that folder. Without it every file that this
user can read or write is open to whoever can connect and, with --enableTokenAuth, has a token.
Without --forever pfioh ends with the first push, pull or copy that succeeds; what clients ask before does
not count.
`;

/** What the server opens to others, when that is more than one folder. */
function exposure({ storeBase, ip, enableTokenAuth }: PfiohConfig): string | undefined {
  if (storeBase !== undefined) return undefined;
  const loopback = ip === '127.0.0.1' || ip === '::1' || ip === 'localhost';
  const who = `${loopback ? 'everybody on this machine' : 'everybody who can reach this address'}${enableTokenAuth ? ' and has a token' : ''}`;
  return `WARNING: no --storeBase: ${who} can read and write every file that this user can.`;
}

async function serve(config: PfiohConfig): Promise<number> {
  outliveReaders();
  const { forever } = config;
  if (leaveLostFolder()) console.error(`pfioh: ${LOST_FOLDER}`);
  const { logFormat } = config;
  const log = makeLogger({
    verbosity: config.quiet ? 0 : config.verbosity,
    format: logFormat,
  });
  for (const { variable } of unknownVariables(process.env, 'PFIOH_', [])) {
    log.warn('pfioh reads no environment variables: use flags', { variable });
  }
  const server = await openPfioh(config, log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void server.close());
  const host = server.address.includes(':') ? `[${server.address}]` : server.address;
  console.log(`pfioh ${VERSION}`);
  console.log(`listening on http${config.tls === undefined ? '' : 's'}://${host}:${server.port}`);
  console.log(`serving ${forever ? 'until told to quit' : 'one transfer'}`);
  const warning = exposure(config);
  if (warning !== undefined) console.error(warning);
  await server.done;
  return 0;
}

async function main(): Promise<number> {
  try {
    const argv = process.argv.slice(2);
    refuseForeignWords(argv);
    const line = readPfiohFlags(argv);
    const text = line.kind === 'print' ? line.text : information(line.config);
    if (text !== undefined) {
      heedOutput('pfioh');
      process.stdout.write(text);
      return 0;
    }
    return line.kind === 'run' ? await serve(line.config) : 0;
  } catch (error) {
    console.error(errorReport('pfioh', error));
    return error instanceof UsageError ? 2 : 1;
  }
}

function information({ synopsis, desc, version }: PfiohConfig): string | undefined {
  if (synopsis) return SYNOPSIS;
  if (desc) return DESCRIPTION;
  return version ? `Version: ${VERSION}\n` : undefined;
}

// No await: this program is bundled as a CommonJS module, which has none at its top.
void main().then((status) => {
  process.exitCode = status;
});
