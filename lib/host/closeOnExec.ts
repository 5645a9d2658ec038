import koffi from 'koffi';

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const fcntl = koffi.load(null).func('int fcntl(int fd, int command, ...)');

/** Has the system close a descriptor in each program that this process starts (fcntl(2)); says whether it does. */
export function closeOnExec(fd: number): boolean {
  return fcntl(fd, F_SETFD, 'int', FD_CLOEXEC) === 0;
}
