import koffi from 'koffi';

// <sys/socket.h> of Linux.
const SOL_SOCKET = 1;
const SO_PEERCRED = process.arch === 'ppc64' ? 21 : 17;
/** struct ucred: the process, its user and its group. */
const CREDENTIALS = 3;

const getsockopt = koffi
  .load(null)
  .func('int getsockopt(int fd, int level, int name, void *value, void *length)');

/**
 * The user of the process at the other end of a Unix socket: as it was when that process called connect(2) or listen(2)
 * (unix(7), SO_PEERCRED). Undefined where the system does not tell: it is asked on Linux only.
 */
export function peerUser(fd: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const value = new Uint32Array(CREDENTIALS);
  const length = new Uint32Array([value.byteLength]);
  const failed: number = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length);
  return failed === 0 ? value[1] : undefined;
}

/**
 * The user at the other end of a Unix socket when it is a stranger: neither the user of this process nor root, who may do all
 * that this user may. Undefined when it is none, or the system does not tell.
 */
export function strangerAt(fd: number): number | undefined {
  const user = peerUser(fd);
  return user === 0 || user === process.geteuid?.() ? undefined : user;
}
