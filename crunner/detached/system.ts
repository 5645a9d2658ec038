import { endianness } from 'node:os';
import type { OnFull, OutputKeeper } from './outputKeeper.ts';
import type { StartProgram } from './program.ts';

/** How this system starts programs and keeps what they write. */
export interface JobSystem {
  readonly start: StartProgram;
  /** @param spool the folder of the jobs' spool folders */
  readonly keeper: (spool: string, onFull: OnFull) => OutputKeeper;
}

let chosen: Promise<JobSystem> | undefined;

/** The fast way where there is one: on Linux, with the foreign function library installed. */
export function thisSystem(): Promise<JobSystem> {
  chosen ??= hasNative() ? loadNative().catch(loadPortable) : loadPortable();
  return chosen;
}

/** The layouts of the C library's structures are those of 64-bit systems whose numbers begin with their low bytes. */
function hasNative(): boolean {
  return (
    process.platform === 'linux' && endianness() === 'LE' && !['ia32', 'arm'].includes(process.arch)
  );
}

async function loadNative(): Promise<JobSystem> {
  const { nativeSpawn } = await import('./nativeSpawn.ts');
  const { NativeKeeper } = await import('./nativeKeeper.ts');
  return { start: nativeSpawn, keeper: (spool, onFull) => new NativeKeeper({ spool, onFull }) };
}

async function loadPortable(error?: unknown): Promise<JobSystem> {
  if (error !== undefined) console.error(`processes are started by node's spawn: ${String(error)}`);
  const { portableSpawn } = await import('./portableSpawn.ts');
  const { PortableKeeper } = await import('./portableKeeper.ts');
  return { start: portableSpawn, keeper: () => new PortableKeeper() };
}
