// Runs before each test file (jest.config.js, setupFilesAfterEnv): a test that leaves a server or
// a job's process behind fails, and what it left is ended.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach } from '@jest/globals';
import { enterScope, type Opened, type Scope, takeOpened } from './scope.ts';

/** What was told to end just now gets this long to be gone. */
const GRACE_MS = 10_000;

async function leftOf(things: readonly Opened[]): Promise<string[]> {
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const left = things.map((thing) => thing.left()).filter((text) => text !== undefined);
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(20);
  }
}

async function clearAway(scope: Scope): Promise<void> {
  const things = takeOpened(scope);
  const left = await leftOf(things);
  for (const thing of things.reverse()) thing.dispose();
  if (left.length === 0) return;
  const place = scope === 'test' ? 'in the test or an afterEach' : 'in an afterAll';
  // Hooks at the top of a file run after this one, those inside a describe before.
  throw new Error(`left running: ${left.join('; ')}: end it ${place} inside the describe`);
}

beforeEach(() => enterScope('test'));
afterEach(async () => {
  enterScope('file');
  await clearAway('test');
});
afterAll(() => clearAway('file'));
