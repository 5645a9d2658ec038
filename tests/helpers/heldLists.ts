import type { Page } from 'playwright-core';

/**
 * Has the server take its time with each list of jobs that a page asks for.
 * @returns what lets the answers come
 */
export async function holdLists(page: Page): Promise<() => void> {
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/api/v2/jobs?*', async (route) => {
    await held;
    await route.continue();
  });
  return answer;
}
