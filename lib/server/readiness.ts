import { statfs } from 'node:fs/promises';
import { goodFor } from '../concurrency/goodFor.ts';
import type { GatewayReply, RequestHead } from '../gateway/types.ts';
import { lossOf } from '../host/heldFolders.ts';
import type { JobBackend } from '../jobs/backend.ts';
import type { JobDatabase } from '../records/database.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';
import { originForm } from './echo.ts';
import { hasBody } from './healthCheck.ts';

export type Probe = 'livez' | 'readyz';

/**
 * Which probe a request is: `GET /livez` or `GET /readyz`, with or without a token, for those who ask have none. undefined for any
 * other request.
 */
export function probeIn({ method, target, rawHeaders }: RequestHead): Probe | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const name = /^\/(livez|readyz)$/.exec(originForm(target))?.[1];
  return name !== undefined && !hasBody(rawHeaders) ? (name as Probe) : undefined;
}

export interface ReadinessSources {
  readonly database: Pick<JobDatabase, 'indexing' | 'problem' | 'folder'>;
  /** Whether jobs of this host can run. */
  readonly host: Pick<JobBackend, 'readiness'>;
  readonly isDraining: () => boolean;
}

/** Below this a disk is as good as full: a record takes some blocks. In bytes. */
const LEAST_FREE = 1024 * 1024;
/** A look at the disk is good for so long, in milliseconds: everybody may ask, as often as he likes. */
const LOOK_MS = 1000;

/** Makes what tells why a server should get no requests now; undefined when it may. It names no paths: everybody may ask. */
export function readiness({ database, host, isDraining }: ReadinessSources) {
  const disk = goodFor(LOOK_MS, () => diskProblem(database.folder));
  return async (): Promise<string | undefined> => {
    if (isDraining()) return 'pman is ending';
    if (database.indexing !== undefined) return 'records are still being read';
    if (database.problem !== undefined) {
      return lossOf(database.folder) === undefined
        ? 'the disk takes no records'
        : 'the folder of the database was moved or removed';
    }
    const runner = await host.readiness();
    return runner.state === 'ready' ? disk() : runner.problem;
  };
}

async function diskProblem(folder: string): Promise<string | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize < LEAST_FREE ? 'the disk is full' : undefined;
  } catch {
    // Whatever the system has against it; the log of the database says more.
    return 'the disk cannot be looked at';
  }
}

/** What is said to a probe: a word or a sentence. */
export function probeReply(problem: string | undefined): GatewayReply {
  return {
    status: problem === undefined ? 200 : 503,
    headers: [['Content-Type', 'text/plain; charset=utf-8'], ...SAFETY_HEADERS],
    body: Buffer.from(`${problem ?? 'ok'}\n`),
  };
}
