import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Unix socket's path may have 107 bytes (unix(7)). */
const MAX_SOCKET_PATH = 100;

/** A socket that belongs to a folder: inside it, or, when that path is too long, in the folder for temporary files. */
export function socketPath(folder: string, name: string): string {
  const inside = join(folder, `${name}.sock`);
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  return join(tmpdir(), `${name}-${process.getuid?.() ?? 0}-${digest}.sock`);
}
