import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const FIXTURE = join(import.meta.dirname, '../fixtures/askHello.mjs');

/** Somebody who asks `hello` all the time. */
export interface Hellos {
  /** How many were answered so far. */
  count(): number;
  /** Ends it; what each took, in milliseconds. Throws when one was not answered with 200. */
  stop(): Promise<readonly number[]>;
}

/** Starts to ask a server for `hello`, from another process; resolves when the first answer is there. */
export async function startHellos(port: number, everyMs: number): Promise<Hellos> {
  const child = spawn(process.execPath, [FIXTURE, String(port), String(everyMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child.stdout, 'data');
  const ended = once(child, 'close');
  return {
    count: () => text.split('\n').length - 1,
    async stop() {
      child.stdin.end();
      await ended;
      const lines = text.trim().split('\n');
      const failed = lines.find((line) => !line.startsWith('200 '));
      if (failed !== undefined) throw new Error(`a hello was answered with ${failed}`);
      return lines.map((line) => Number(line.split(' ')[1]));
    },
  };
}
