import { isAbsolute } from 'node:path';
import type { FilesCommandLine, FilesVerb, PurlConfig } from '../../config/purl.ts';
import { requireWorkingFolder } from '../../foreignBytes.ts';
import { terminalText } from '../../terminalText.ts';
import { clientOptions } from '../clientOptions.ts';
import { EXIT_CODES, PurlFailure, transferFailure } from '../failure.ts';
import type { PurlIo } from '../runPurl.ts';
import type { FolderWay } from './folderWay.ts';
import { pullFolder } from './pullFolder.ts';
import { pushFolder } from './pushFolder.ts';
import { isPlace, parsePlace, type RemotePlace } from './remotePlace.ts';
import { showFor, signsFor } from './showFor.ts';
import { summaryLine } from './transferLine.ts';
import { isResumable } from './untilDone.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** How long a transfer may stand still, unless `--timeout` says. */
const IDLE_MS = 60_000;

/**
 * Carries out `purl push` or `purl pull` and resolves to the exit status. What came of it goes to standard output, all
 * else to standard error.
 */
export async function runFiles(
  verb: FilesVerb,
  line: FilesCommandLine,
  io: PurlIo,
  env: Env,
): Promise<number> {
  if (line.kind === 'print') {
    io.stdout.write(line.text);
    return 0;
  }
  const { config, from, to } = line;
  let isReached = false;
  const onReached = () => {
    isReached = true;
  };
  if (!isAbsolute(verb === 'push' ? from : to)) requireWorkingFolder();
  try {
    const place = placeOf(verb, from, to);
    const way = { ...(await wayTo(place, config, io, env)), onReached };
    const { path } = place;
    try {
      const summary =
        verb === 'push'
          ? await pushFolder({ local: from, path }, way)
          : await pullFolder({ local: to, path }, way);
      if (config.json) io.stdout.write(`${JSON.stringify(summary)}\n`);
      else if (!config.quiet) io.stdout.write(`${summaryLine(summary, signsFor(env))}\n`);
      return 0;
    } finally {
      way.show.end();
    }
  } catch (error) {
    const failure = transferFailure(error, verb);
    const { message } = failure;
    io.stderr.write(`${io.name}: ${io.stderr.isTTY ? terminalText(message) : message}\n`);
    if (failure.kind === 'tls' && failure.hint !== undefined) {
      io.stderr.write(`  ${failure.hint}\n`);
    }
    if (isResumable(failure) && isReached && !config.quiet) {
      io.stderr.write('  what has arrived is kept: the same command goes on from there\n');
    }
    return EXIT_CODES[failure.kind];
  }
}

function placeOf(verb: FilesVerb, from: string, to: string): RemotePlace {
  const [there, here] = verb === 'push' ? [to, from] : [from, to];
  if (isPlace(there)) return parsePlace(there);
  const turned = isPlace(here) ? `; is "${verb === 'push' ? 'pull' : 'push'}" meant?` : '';
  throw new PurlFailure('usage', `${there} is no place on another machine: HOST:PATH${turned}`);
}

async function wayTo(
  { url }: RemotePlace,
  config: PurlConfig,
  { stdin, stderr, signal }: PurlIo,
  env: Env,
): Promise<FolderWay> {
  const client = await clientOptions({ ...config, http: url.href }, stdin);
  return {
    url,
    client: { ...client, idleTimeoutMs: config.timeout ?? IDLE_MS },
    signal,
    patient: config.timeout === undefined,
    show: showFor(stderr, config, env),
  };
}
