import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { PageVisitor } from './pageVisitor.ts';

/**
 * Has a browser for the tests of a suite. Each begins without complaints, and ends with all windows closed.
 * @param mayComplain whether a test itself looks at what the browser complains of; else there must be nothing
 */
export function visitedBy({ mayComplain = false, hasScrollBars = false } = {}): () => PageVisitor {
  let visitor: PageVisitor;
  beforeAll(async () => {
    visitor = await PageVisitor.open({ hasScrollBars });
  });
  beforeEach(() => {
    visitor.complaints = [];
  });
  afterEach(async () => {
    await visitor.leave();
    if (!mayComplain) expect(visitor.complaints).toEqual([]);
  });
  afterAll(() => visitor.close());
  return () => visitor;
}

/** Opens a view of the page, and waits until it is live. */
export async function openLive(
  page: Page,
  { port }: { readonly port: number },
  path: string,
): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}${path}`);
  await page.locator('.contact.live').waitFor();
}
