import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { eventually } from './eventually.ts';

/**
 * Watches the folder for temporary files, which all tests share: those that run beside this one make names there, too,
 * and take them away again.
 */
export function temporaryNames(isOurs: (name: string) => boolean) {
  const names = () => readdirSync(tmpdir()).filter(isOurs);
  const before = new Set(names());
  return {
    /** Waits until no such name is there that was not there before. */
    async areGone(): Promise<void> {
      await eventually(() => names().every((name) => before.has(name)), {
        message: `temporary files to be gone: ${names().join(', ')}`,
      });
    },
  };
}
