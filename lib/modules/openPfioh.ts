import { NO_AUDIT, openAudit } from '../access/auditLog.ts';
import { TokenStore } from '../access/tokenStore.ts';
import type { PfiohConfig } from '../config/pfioh.ts';
import { TlsFiles } from '../host/tlsFiles.ts';
import type { Logger } from '../log.ts';
import { type FileServer, startFileServer } from '../pfioh/fileServer.ts';
import { DEFAULT_LIMITS } from '../transfer/unpackLimits.ts';

/** The original's own place (protocol e). */
const DEFAULT_TOKEN_FILE = 'pfioh_config.cfg';

/**
 * Opens a pfioh as its settings say, for the program and for the module. Does nothing that concerns the whole process.
 * @throws UsageError as `startFileServer` of lib/pfioh does, and for tokens or an audit log that cannot be used
 */
export async function openPfioh(config: PfiohConfig, log: Logger): Promise<FileServer> {
  const { ip, port, forever, storeBase } = config;
  const { auditLog: file, auditLogSize: maxBytes } = config;
  const door = config.enableTokenAuth
    ? TokenStore.open(config.tokenPath || DEFAULT_TOKEN_FILE, log)
    : undefined;
  const audit = file === undefined ? NO_AUDIT : openAudit({ file, maxBytes, log });
  const release = () => {
    door?.close();
    audit.close();
  };
  try {
    const server = await startFileServer({
      ...{ ip, port, forever, storeBase, door, audit, log },
      oneTransfer: true,
      createDirs: config.createDirsAsNeeded,
      allowOrigins: config.allowOrigin,
      allowHosts: config.allowHost,
      tls: config.tls && new TlsFiles(config.tls, log),
      limits: { ...DEFAULT_LIMITS, maxBytes: config.maxUnpack },
      idleMs: config.timeout,
    });
    return { ...server, done: server.done.then(release) };
  } catch (error) {
    release();
    throw error;
  }
}
