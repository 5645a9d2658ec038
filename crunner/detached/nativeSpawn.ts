import { constants as fsConstants } from 'node:fs';
import koffi from 'koffi';
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

const timeval = koffi.struct({ seconds: 'int64', micros: 'int64' });
const rusage = koffi.struct({
  user: timeval,
  system: timeval,
  maxRssKib: 'int64',
  others: koffi.array('int64', 13),
});
interface Rusage {
  readonly user: { readonly seconds: number; readonly micros: number };
  readonly system: { readonly seconds: number; readonly micros: number };
  readonly maxRssKib: number;
}

const spawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const initActions = libc.func('int posix_spawn_file_actions_init(void *actions)');
const addOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint32 mode)',
);
const addDup = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int asFd)');
const destroyActions = libc.func('int posix_spawn_file_actions_destroy(void *actions)');
const wait4 = libc.func('wait4', 'int', [
  'int',
  koffi.out(koffi.pointer('int')),
  'int',
  koffi.out(koffi.pointer(rusage)),
]);

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
const limits = koffi.struct({ soft: 'uint64', hard: 'uint64' });
const getLimits = libc.func('getrlimit', 'int', ['int', koffi.out(koffi.pointer(limits))]);
const setLimits = libc.func('setrlimit', 'int', ['int', koffi.pointer(limits)]);

/** What is started meanwhile has the limits of the program. */
function withLimits<T>({ openFiles, maxProcesses }: Program, start: () => T): T {
  const startWithFiles = () => withLimit(RLIMIT_NOFILE, openFiles, start);
  return withLimit(RLIMIT_NPROC, maxProcesses, startWithFiles);
}

function withLimit<T>(resource: number, soft: number | undefined, start: () => T): T {
  if (soft === undefined) return start();
  const own: Partial<{ soft: number; hard: number }> = {};
  getLimits(resource, own);
  setLimits(resource, { soft: Math.min(soft, Number(own.hard)), hard: own.hard });
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
  for (const [pid, resolve] of [...waiting]) {
    const status: [number] = [0];
    const used: Partial<Rusage> = {};
    if (wait4(pid, status, WNOHANG, used) !== pid) continue;
    waiting.delete(pid);
    resolve({ returncode: returncodeOf(status[0]), usage: usageOf(used as Rusage) });
  }
}

const WNOHANG = 1;

/** wait(2): the low seven bits are the signal; without one, the next byte is the exit code. */
function returncodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : -signal;
}

const seconds = (time: Rusage['user']) => Number(time.seconds) + Number(time.micros) / 1e6;

function usageOf({ user, system, maxRssKib }: Rusage): ProcessUsage {
  const bytes = Number(maxRssKib) * 1024;
  return {
    user_seconds: seconds(user),
    system_seconds: seconds(system),
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
