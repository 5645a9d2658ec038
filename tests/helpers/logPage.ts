import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { checkout } from './startServer.ts';

/** A page with the log of one job and nothing else: `/?id=ID#L3-L5`. */
const SCRIPT = `
  import { h, render } from 'preact';
  import { PmanClient } from './lib/client/index.ts';
  import { LogView } from './lib/page/browser/log/LogView.tsx';
  const client = new PmanClient({ url: location.origin, patienceMs: 0 });
  const lineIn = (hash) => {
    const [, from, to = from] = /^#L(\\d+)(?:-L?(\\d+))?$/.exec(hash) ?? [];
    return from === undefined ? undefined : { from: Number(from), to: Number(to) };
  };
  const job = await client.job(new URLSearchParams(location.search).get('id'));
  const draw = () => {
    const onLineChange = ({ from, to }) => {
      history.replaceState(null, '', '#L' + from + (to === from ? '' : '-L' + to));
      draw();
    };
    const line = lineIn(location.hash);
    const onCopy = (text, what) => { Object.assign(globalThis, { copiedText: text, copiedWhat: what }); };
    render(h(LogView, { client, job, line, onLineChange, onCopy }), document.getElementById('page'));
  };
  addEventListener('hashchange', draw);
  draw();
`;

const STYLES = `
  :root { --bg: #fff; --surface: #f6f7f9; --log: #eef1f4; --selected: #dbeafe; --mark: #fff0b3; --text: #1b1f24;
    --muted: #566070; --run: #0a5fb8; --ok: #00695c; --fail: #b3231b; --lost: #8e2f8a; --warn: #7a4e00; --edge: #7d8796; }
  html, body, #page { height: 100%; margin: 0; }
  body { background: var(--bg); color: var(--text); font: 14px/20px system-ui, sans-serif; }
  #page { display: flex; flex-direction: column; }
`;

const DOCUMENT = `<!doctype html><html lang="en"><title>log</title><meta charset="utf-8">
<link rel="stylesheet" href="/page.css"><main id="page"></main><script type="module" src="/page.js"></script></html>`;

/** As the page has it: nothing that stands in the document itself is obeyed. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** How many timers and drawings are under way, as `timers.size`; when the first line was there, as `firstLineAt`; and how
 * long the tasks of more than 50 ms took, as `longTasks`. */
const COUNT_TIMERS = `
  globalThis.timers = new Set();
  for (const [begin, end] of [['setTimeout', 'clearTimeout'], ['setInterval', 'clearInterval'],
    ['requestAnimationFrame', 'cancelAnimationFrame']]) {
    const [own, ownEnd] = [globalThis[begin], globalThis[end]];
    globalThis[begin] = (work, ...rest) => {
      const id = own((...given) => {
        if (begin !== 'setInterval') timers.delete(begin + id);
        return work(...given);
      }, ...rest);
      timers.add(begin + id);
      return id;
    };
    globalThis[end] = (id) => {
      timers.delete(begin + id);
      ownEnd(id);
    };
  }
  new MutationObserver((_, observer) => {
    if (document.querySelector('.log-row:not(.log-unread)') === null) return;
    globalThis.firstLineAt = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ entryTypes: ['longtask'] });
`;

/** A browser on a page with the log of a job, and the server of that page, which hands on what is for pman. */
export class LogPage {
  readonly #site: Server;
  readonly #browser: Browser;
  readonly page: Page;
  /** The port of pman. */
  port: number;
  /** What the page has asked pman for. */
  readonly asked: string[] = [];
  /** What the browser had to say. */
  readonly complaints: string[] = [];

  private constructor(site: Server, browser: Browser, page: Page, port: number) {
    this.#site = site;
    this.#browser = browser;
    this.page = page;
    this.port = port;
    page.on('console', (message) => {
      // That pman is away is said by the browser, too.
      const text = message.text();
      if (message.type() === 'error' && !/Failed to load resource/.test(text)) {
        this.complaints.push(text);
      }
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  static async open(port: number): Promise<LogPage> {
    const files = await bundle();
    let opened: LogPage | undefined;
    const site = createServer((request, response) => {
      const { url = '/' } = request;
      if (url.startsWith('/api/')) {
        opened?.asked.push(url);
        const headers = { ...request.headers, host: `127.0.0.1:${opened?.port}` };
        delete headers.origin;
        const to = forward(
          { port: opened?.port ?? port, method: request.method ?? 'GET', path: url, headers },
          (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
          },
        );
        to.on('error', () => response.destroy());
        response.on('close', () => to.destroy());
        request.pipe(to);
        return;
      }
      const path = new URL(url, 'http://page').pathname;
      response.setHeader('Content-Security-Policy', POLICY);
      response.setHeader('Content-Type', files.get(path)?.type ?? 'text/html');
      response.end(files.get(path)?.text ?? DOCUMENT);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath: process.env.PMAN_TEST_CHROMIUM ?? '',
      args: ['--no-sandbox'],
    });
    const context = await browser.newContext({ viewport: { width: 1000, height: 600 } });
    const page = await context.newPage();
    await page.addInitScript(COUNT_TIMERS);
    opened = new LogPage(site, browser, page, port);
    return opened;
  }

  /** Shows the log of a job, and waits for its first lines. */
  async show(id: string, hash = ''): Promise<void> {
    const { port } = this.#site.address() as AddressInfo;
    await this.page.goto('about:blank');
    await this.page.goto(`http://127.0.0.1:${port}/?id=${id}${hash}`);
    await this.page.locator('.log-row .log-text, .log-empty').first().waitFor();
  }

  /** The lines in the window, as `413 what it says`; those of stderr with a `!`. */
  inView(): Promise<string[]> {
    return this.page.evaluate(`(() => {
      const box = document.querySelector('.log-scroller').getBoundingClientRect();
      return [...document.querySelectorAll('.log-row')]
        .filter((row) => {
          const { top, bottom } = row.getBoundingClientRect();
          return bottom > box.top + 1 && top < box.bottom - 1 && !row.classList.contains('log-unread');
        })
        .map((row) => {
          const sign = row.classList.contains('log-stderr') ? '!' : '';
          return row.dataset.line + sign + ' ' + row.querySelector('.log-text').textContent;
        });
    })()`);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#site.close();
    this.#site.closeAllConnections();
  }
}

async function bundle() {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: checkout, loader: 'js' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const styles = await build({
    entryPoints: [join(checkout, 'lib/page/browser/log/log.css')],
    bundle: true,
    write: false,
  });
  return new Map([
    ['/page.js', { type: 'text/javascript', text: outputFiles[0]?.text ?? '' }],
    ['/page.css', { type: 'text/css', text: STYLES + (styles.outputFiles[0]?.text ?? '') }],
  ]);
}
