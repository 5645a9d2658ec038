import type { Socket } from 'node:net';

/** Says whether a stranger is at the other end of a Unix socket, and then which user it is. */
export type StrangerCheck = (socket: Socket) => number | undefined;

/**
 * What looks at the processes that connect to this one by Unix sockets, and at those that it connects to: they tell each
 * other what to run. Their sockets lie in folders that others cannot write; this is the second guard, for a folder that
 * was opened to others later. It is to be asked when the connection is made, before a byte is read.
 *
 * Where the C library cannot be called (there is no binary of koffi for every machine), and on systems other than Linux,
 * nobody is a stranger: the rights of the folder are the only guard.
 */
export async function strangerCheck(): Promise<StrangerCheck> {
  const strangerAt = await nativeCheck();
  return (socket) => {
    const fd = descriptorOf(socket);
    return fd === undefined ? undefined : strangerAt?.(fd);
  };
}

async function nativeCheck(): Promise<((fd: number) => number | undefined) | undefined> {
  try {
    return (await import('./peerUser.ts')).strangerAt;
  } catch {
    return undefined;
  }
}

/** Node has no public name for it. Undefined when the socket is closed. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

const told = new Set<string>();

/**
 * What to log of a stranger that was dropped.
 * @returns undefined when it has been said of this user and socket: who connects again and again fills no log
 */
export function strangerWords(user: number, socket: string): string | undefined {
  const words = `${socket}: dropped a process of another user (uid ${user})`;
  if (told.has(words)) return undefined;
  told.add(words);
  return words;
}
