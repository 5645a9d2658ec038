import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that pass between two collections: the most that one answer or body leaves lying about. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

let collect: (() => void) | undefined;

/**
 * Counts the bytes of a long answer or body as they pass, and has the engine free the spent buffers every 8 MiB. Left alone, V8
 * lets about 64 MiB of them pile up, and more on a busy machine: buffers lie outside its heap and hardly count there.
 * A collection of the young generation takes about a millisecond.
 */
export class YoungGarbage {
  #bytes = 0;

  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_EVERY_BYTES) return;
    this.#bytes = 0;
    collect ??= youngCollector();
    collect();
  }
}

function youngCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') return () => {};
  return () => void Reflect.apply(gc, undefined, [{ type: 'minor' }]);
}
