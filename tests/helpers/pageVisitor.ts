import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { checkout } from './startServer.ts';

export interface VisitOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** What a browser must not have to say about the page; a server that is away is none of it. */
const PASSING = /Failed to load resource|net::ERR_|preload/;

/** Somebody with a real browser on the page of a pman. What its browser complains of is kept: a test ends with none of it. */
export class PageVisitor {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  /** Errors of scripts, violations of the content security policy, and dialogs that a script has opened. */
  complaints: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** @param hasScrollBars whether they are there to be dragged; the pictures are without */
  static async open({ hasScrollBars = false } = {}): Promise<PageVisitor> {
    const browser = await chromium.launch({
      executablePath: process.env.PMAN_TEST_CHROMIUM ?? '',
      args: ['--no-sandbox'],
      ...(hasScrollBars && { ignoreDefaultArgs: ['--hide-scrollbars'] }),
    });
    return new PageVisitor(browser);
  }

  /** A window with a storage of its own. */
  async window({
    colorScheme = 'light',
    width = 1200,
    height = 720,
  }: VisitOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      ...{
        colorScheme,
        viewport: { width, height },
        permissions: ['clipboard-read', 'clipboard-write'],
      },
    });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !PASSING.test(text)) this.complaints.push(text);
    });
    page.on('dialog', (dialog) => {
      this.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  }

  /** Closes all windows. */
  async leave(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

const axe = readFileSync(join(checkout, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** What axe has against what is shown: a line for each element, empty when all is well. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // Not as a script of the page: its policy would refuse that.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    type Result = { id: string; help: string; nodes: { html: string; failureSummary?: string }[] };
    const { axe: tool } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: Result[] }> };
    };
    const { violations } = await tool.run({});
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary ?? ''}`),
    );
  });
}
