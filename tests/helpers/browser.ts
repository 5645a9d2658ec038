import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Why no browser can be started, or undefined when one can. */
export const browserMissing = (): string | undefined =>
  process.env.PMAN_TEST_CHROMIUM
    ? undefined
    : 'PMAN_TEST_CHROMIUM is not set: see tests/engines/chromium.sh';

/** A browser, and an empty page on a server of its own for it to be on. */
export class Visitor {
  readonly #browser: Browser;
  readonly #site: Server;
  readonly page: Page;
  /** Where the empty page is, under any name of this host. */
  readonly port: number;

  private constructor(browser: Browser, site: Server, page: Page) {
    this.#browser = browser;
    this.#site = site;
    this.page = page;
    this.port = (site.address() as AddressInfo).port;
  }

  /** @param ownName a name with a dot that the browser finds on this host, as after DNS rebinding */
  static async open(ownName: string): Promise<Visitor> {
    const site = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath: process.env.PMAN_TEST_CHROMIUM ?? '',
      args: ['--no-sandbox', `--host-resolver-rules=MAP ${ownName} 127.0.0.1`],
    });
    return new Visitor(browser, site, await browser.newPage());
  }

  /** Goes to the empty page, by that name of this host. */
  async visit(name: string): Promise<void> {
    await this.page.goto(`http://${name}:${this.port}/`);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#site.close();
  }
}
