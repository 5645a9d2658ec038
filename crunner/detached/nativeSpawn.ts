import { constants as fsConstants } from 'node:fs';
import type { ProcessUsage } from './journal.ts';
import { errorName, libc } from './nativeLibrary.ts';
import type { Program, ProgramExit, StartedProgram } from './program.ts';

// <spawn.h> of glibc and musl, which agree.
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
// Larger than the structures of either library.
const ACTIONS_SIZE = 512;
const ATTRIBUTES_SIZE = 1024;
const SIGSET_SIZE = 128;

const spawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const initActions = libc.func('int posix_spawn_file_actions_init(void *actions)');
const addOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint32 mode)',
);
const addDup = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int asFd)');
const destroyActions = libc.func('int posix_spawn_file_actions_destroy(void *actions)');
const wait4 = libc.func('int wait4(int pid, void *status, int options, void *usage)');

// Read as bytes: to make objects of what the system tells took longer than the call.
const status = Buffer.alloc(4);
/** `struct rusage` of 64-bit systems: user time, system time, the largest size in KiB, 13 more numbers. */
const usage = Buffer.alloc(18 * 8);

/** A session of its own, no signal blocked, none ignored: Node ignores SIGPIPE, and a child would inherit that. */
const attributes = makeAttributes();

function makeAttributes(): Buffer {
  const made = Buffer.alloc(ATTRIBUTES_SIZE);
  libc.func('int posix_spawnattr_init(void *attributes)')(made);
  libc.func('int posix_spawnattr_setflags(void *attributes, short flags)')(
    made,
    SETSID | SETSIGDEF | SETSIGMASK,
  );
  const setDefault = libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)');
  setDefault(made, Buffer.alloc(SIGSET_SIZE, 0xff));
  const setMask = libc.func('int posix_spawnattr_setsigmask(void *attributes, void *set)');
  setMask(made, Buffer.alloc(SIGSET_SIZE));
  return made;
}

const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;
const getLimits = libc.func('int getrlimit(int resource, void *limits)');
const setLimits = libc.func('int setrlimit(int resource, void *limits)');
/** `struct rlimit`: the soft limit, the hard one. */
const LIMITS_SIZE = 16;

/** What is started meanwhile has the limits of the program. */
function withLimits<T>({ openFiles, maxProcesses }: Program, start: () => T): T {
  const startWithFiles = () => withLimit(RLIMIT_NOFILE, openFiles, start);
  return withLimit(RLIMIT_NPROC, maxProcesses, startWithFiles);
}

function withLimit<T>(resource: number, soft: number | undefined, start: () => T): T {
  if (soft === undefined) return start();
  const own = Buffer.alloc(LIMITS_SIZE);
  getLimits(resource, own);
  const lower = Buffer.from(own);
  const hard = own.readBigUInt64LE(8);
  lower.writeBigUInt64LE(hard < soft ? hard : BigInt(soft));
  setLimits(resource, lower);
  try {
    return start();
  } finally {
    setLimits(resource, own);
  }
}

const waiting = new Map<number, (exit: ProgramExit) => void>();
let reaping = false;

/**
 * Starts a program by the C library's own posix_spawn(3), and waits for it by wait4(2): that takes less time than Node's
 * spawn, and tells what the program has used; see docs/decisions/0002.
 * @throws an error with the system's `code` when it cannot be started
 */
export function nativeSpawn(program: Program): StartedProgram {
  const { file, argv, env, out, err, mark } = program;
  const actions = Buffer.alloc(ACTIONS_SIZE);
  initActions(actions);
  const { O_RDONLY, O_WRONLY, O_CREAT, O_APPEND } = fsConstants;
  const { in: input = '/dev/null' } = program;
  if (typeof input === 'number') addDup(actions, input, 0);
  else addOpen(actions, 0, input, O_RDONLY, 0);
  const become = (fd: number, target: string | number) =>
    typeof target === 'number'
      ? addDup(actions, target, fd)
      : addOpen(actions, fd, target, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  if (mark !== undefined) become(1, mark);
  become(1, out);
  become(2, err);
  const pid: [number] = [0];
  const start = (): number =>
    spawn(pid, file, actions, attributes, [...argv, null], environment(env));
  const errno = withLimits(program, start);
  destroyActions(actions);
  if (errno !== 0) throw startError(errno, file);
  const [child] = pid;
  const ended = new Promise<ProgramExit>((resolve) => waiting.set(child, resolve));
  if (!reaping) {
    reaping = true;
    process.on('SIGCHLD', reap);
  }
  // It may have ended before the handler stood.
  setImmediate(reap);
  return { pid: child, ended };
}

function reap(): void {
  for (const [pid, resolve] of waiting) {
    if (wait4(pid, status, WNOHANG, usage) !== pid) continue;
    waiting.delete(pid);
    resolve({ returncode: returncodeOf(status.readInt32LE()), usage: usageOf(usage) });
  }
}

const WNOHANG = 1;

/** wait(2): the low seven bits are the signal; without one, the next byte is the exit code. */
function returncodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : -signal;
}

function usageOf(used: Buffer): ProcessUsage {
  const number = (place: number) => used.readUIntLE(place * 8, 6);
  const seconds = (place: number) => number(place) + number(place + 1) / 1e6;
  const bytes = number(4) * 1024;
  return {
    user_seconds: seconds(0),
    system_seconds: seconds(2),
    // At exec(2) a process inherits the peak of the one it was forked from: below that nothing can be told.
    ...(bytes > floorBytes() ? { peak_memory_bytes: bytes } : { peak_memory_below_bytes: bytes }),
    source: 'wait4',
  };
}

/** The runner's own peak, which every child's figure starts from. */
function floorBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function environment(env: Program['env']): readonly (string | null)[] {
  const pairs = Object.entries(env).filter(([, value]) => value !== undefined);
  return [...pairs.map(([name, value]) => `${name}=${value}`), null];
}

function startError(errno: number, file: string): Error {
  const code = errorName(errno);
  return Object.assign(new Error(`cannot start ${file}: ${code}`), { code, errno });
}
