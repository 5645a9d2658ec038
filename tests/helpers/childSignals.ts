import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll } from '@jest/globals';

/**
 * Passes SIGCHLD on to the tests of this file: the `process` that jest gives them is a copy, which hears no signals.
 * What is tested runs in a process of its own otherwise.
 */
export function hearChildSignals(): void {
  // The global of the main context, which is not the one that tests run in.
  const real = runInThisContext('process') as NodeJS.Process;
  const passOn = () => process.emit('SIGCHLD', 'SIGCHLD');
  beforeAll(() => {
    real.on('SIGCHLD', passOn);
  });
  afterAll(() => {
    real.off('SIGCHLD', passOn);
  });
}
