#!/usr/bin/env node
import { NO_AUDIT, openAudit } from '../lib/access/auditLog.ts';
import { TokenStore } from '../lib/access/tokenStore.ts';
import { type PfiohConfig, readPfiohFlags } from '../lib/config/pfioh.ts';
import { unknownVariables } from '../lib/config/unknownVariables.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { TlsFiles } from '../lib/host/tlsFiles.ts';
import { LOST_FOLDER, leaveLostFolder } from '../lib/host/workingFolder.ts';
import { makeLogger } from '../lib/log.ts';
import { outliveReaders } from '../lib/outliveReaders.ts';
import { startFileServer } from '../lib/pfioh/fileServer.ts';
import { DEFAULT_LIMITS } from '../lib/transfer/unpackLimits.ts';
import { VERSION } from '../lib/version.ts';

/** The original's own place (protocol e). */
const DEFAULT_TOKEN_FILE = 'pfioh_config.cfg';

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
  const { ip, port, forever, storeBase, createDirsAsNeeded } = config;
  if (leaveLostFolder()) console.error(`pfioh: ${LOST_FOLDER}`);
  const { logFormat } = config;
  const log = makeLogger({
    verbosity: config.quiet ? 0 : config.verbosity,
    format: logFormat,
  });
  for (const { variable } of unknownVariables(process.env, 'PFIOH_', [])) {
    log.warn('pfioh reads no environment variables: use flags', { variable });
  }
  const door = config.enableTokenAuth
    ? TokenStore.open(config.tokenPath || DEFAULT_TOKEN_FILE, log)
    : undefined;
  const { auditLog: file, auditLogSize: maxBytes } = config;
  const audit = file === undefined ? NO_AUDIT : openAudit({ file, maxBytes, log });
  const server = await startFileServer({
    ip,
    port,
    forever,
    oneTransfer: true,
    storeBase,
    createDirs: createDirsAsNeeded,
    door,
    audit,
    allowOrigins: config.allowOrigin,
    allowHosts: config.allowHost,
    tls: config.tls && new TlsFiles(config.tls, log),
    limits: { ...DEFAULT_LIMITS, maxBytes: config.maxUnpack },
    idleMs: config.timeout,
    log,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void server.close());
  const host = server.address.includes(':') ? `[${server.address}]` : server.address;
  console.log(`pfioh ${VERSION}`);
  console.log(`listening on http${config.tls === undefined ? '' : 's'}://${host}:${server.port}`);
  console.log(`serving ${forever ? 'until told to quit' : 'one transfer'}`);
  const warning = exposure(config);
  if (warning !== undefined) console.error(warning);
  await server.done;
  door?.close();
  audit.close();
  return 0;
}

async function main(): Promise<number> {
  try {
    const line = readPfiohFlags(process.argv.slice(2));
    const text = line.kind === 'print' ? line.text : information(line.config);
    if (text !== undefined) {
      process.stdout.write(text);
      return 0;
    }
    return line.kind === 'run' ? await serve(line.config) : 0;
  } catch (error) {
    console.error(`pfioh: ${messageOf(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function information({ synopsis, desc, version }: PfiohConfig): string | undefined {
  if (synopsis) return SYNOPSIS;
  if (desc) return DESCRIPTION;
  return version ? `Version: ${VERSION}\n` : undefined;
}

outliveReaders();
process.exitCode = await main();
