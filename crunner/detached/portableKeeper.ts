import { spawn } from 'node:child_process';
import { closeSync, openSync, readlinkSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { findProcess } from './orphan.ts';
import type { OutputKeeper, OutputOptions, PartOutputs } from './outputKeeper.ts';
import { partPlace } from './spool.ts';

/** How long a part that has ended is waited for whose children still write, in milliseconds. */
const SETTLE_MS = 500;

/**
 * Has outputs written where the C library cannot be called: each by a `cat` of its own, which goes on when this process
 * has ended. It takes two more processes a part, and cannot tell when a limit is reached: the output is cut there.
 */
export class PortableKeeper implements OutputKeeper {
  readonly #copied = new Map<string, Promise<unknown>>();

  async open(part: string, { maxBytes }: OutputOptions): Promise<PartOutputs> {
    const place = partPlace(part);
    const files = [`${place}.out`, `${place}.err`];
    const pipes = files.map((file) => `${file}.pipe`);
    await execa('mkfifo', ['-m', '600', ...pipes]);
    const writers = pipes.map((pipe) => openSync(pipe, 'r+'));
    const copied = files.map((file, i) => startCat(pipes[i] ?? '', file, maxBytes));
    this.#copied.set(part, Promise.all(copied));
    const [out = -1, err = -1] = writers;
    return {
      ...{ out, err, pipes: writers.map((fd) => readlinkSync(`/proc/self/fd/${fd}`)) },
      release: () => {
        for (const fd of writers) closeSync(fd);
      },
    };
  }

  async settle(part: string): Promise<boolean> {
    await Promise.race([this.#copied.get(part), sleep(SETTLE_MS)]);
    this.#copied.delete(part);
    return false;
  }

  async adopt(): Promise<void> {
    // What copies has outlived the process that started it.
  }

  async pipesOf(part: string): Promise<readonly string[]> {
    const cat = findProcess(1, [`${part}.out`]);
    return cat === undefined ? [] : [readlinkSync(`/proc/${cat}/fd/0`)];
  }
}

/** Resolves when the last writer has gone, and all is in the file. */
function startCat(pipe: string, file: string, maxBytes: number | undefined): Promise<unknown> {
  const [from, to] = [openSync(pipe, 'r'), openSync(file, 'a', 0o600)];
  try {
    const script = maxBytes === undefined ? 'exec cat' : 'head -c "$0"; exec cat >/dev/null';
    const cat = spawn('/bin/sh', ['-c', script, String(maxBytes ?? '')], {
      ...{ detached: true, stdio: [from, to, 'inherit'] },
    });
    cat.unref();
    return new Promise((resolve) => cat.once('exit', resolve).once('error', resolve));
  } finally {
    closeSync(from);
    closeSync(to);
    rmSync(pipe);
  }
}
