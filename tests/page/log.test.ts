import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { browserMissing } from '../helpers/browser.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { LogPage } from '../helpers/logPage.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describeWithEngine('the log of a job in a real browser', browserMissing, () => {
  let server: TestServer;
  let api: ApiClient;
  let log: LogPage;

  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
    log = await LogPage.open(server.port);
  });
  afterEach(() => {
    // A violation of the policy and an error of a script are told there.
    expect(log.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await log.close();
    await endServer(server);
  });

  const submit = (command: string) => api.submit({ command, shell: true });
  const ended = async (command: string) => {
    const { id } = await submit(command);
    await api.job(id, '?wait=60s');
    return id;
  };
  const inView = () => log.inView();
  const lastIs = (line: string) =>
    eventually(async () => (await inView()).at(-1) === line, { message: `${line} to be last` });
  const shows = (line: string) =>
    eventually(async () => (await inView()).includes(line), { message: `${line} to be in view` });
  const scroller = () => log.page.locator('.log-scroller');
  const scrollUp = async (px: number) => {
    await scroller().hover();
    await log.page.mouse.wheel(0, -px);
  };
  const follows = () =>
    log.page.getByRole('button', { name: /^Follow/ }).getAttribute('aria-pressed');
  const find = async (text: string) => {
    const input = log.page.getByLabel('Find in the log');
    await input.fill(text);
    await input.press('Enter');
    await input.press('Escape');
  };
  const count = () => log.page.locator('.log-count').textContent();
  const rows = () => log.page.locator('.log-row').count();
  const copied = () =>
    log.page.evaluate(`new Promise((resolve) => {
      addEventListener('copy', (event) => resolve(event.clipboardData.getData('text/plain')), { once: true });
      document.execCommand('copy');
    })`);

  it('opens at the end, by one request, and rests', async () => {
    const id = await ended('seq 1 100000');
    // Of a server that has not counted all lines within a moment, the page asks for the others.
    const lines = `http://127.0.0.1:${server.port}/api/v2/jobs/${id}/output/lines`;
    await eventually(async () => {
      const { whole } = (await (await fetch(lines)).json()) as { whole: boolean };
      return whole;
    });
    log.asked.length = 0;
    await log.show(id);
    await lastIs('100000 100000');
    await eventually(() => log.page.evaluate('timers.size === 0'), { message: 'no timers' });
    expect(log.asked.filter((url) => url.includes('/output/'))).toEqual([
      expect.stringMatching(/lines\?from=-200&count=200$/),
    ]);
    expect(await rows()).toBeLessThan(200);
  });

  it('follows what comes while its end is in view, and stands still when one scrolls up', async () => {
    const [one, two] = [makeGate(server), makeGate(server)];
    const { id } = await submit(
      `seq 1 300; ${one.wait}; seq 301 400; ${two.wait}; seq 401 528; printf part`,
    );
    await log.show(id);
    await lastIs('300 300');
    one.open();
    await lastIs('400 400');
    await scrollUp(700);
    await eventually(async () => (await follows()) === 'false');
    await shows('360 360');
    const before = await inView();
    two.open();
    const news = log.page.getByRole('button', { name: '↓ 129 new lines' });
    await news.waitFor();
    expect(await inView()).toEqual(before);
    await news.click();
    await lastIs('529 part');
    expect(await follows()).toBe('true');
    await scrollUp(300);
    await eventually(async () => (await follows()) === 'false');
    await scroller().press('End');
    await lastIs('529 part');
    expect(await follows()).toBe('true');
    // The same where nothing has the focus: with a job open such keys are its log's.
    await log.page.evaluate('document.activeElement.blur()');
    await log.page.keyboard.press('Home');
    await shows('1 1');
    expect(await follows()).toBe('false');
    await log.page.keyboard.press('End');
    await lastIs('529 part');
    expect(await follows()).toBe('true');
  });

  it('shows what a line is at last, and its growth', async () => {
    const gate = makeGate(server);
    const { id } = await submit(
      `echo a; printf '10%%\\r20%%'; ${gate.wait}; printf '\\r100%%\\n'; echo b`,
    );
    await log.show(id);
    await shows('2 20%');
    gate.open();
    await lastIs('3 b');
    await shows('2 100%');
  });

  it('goes on where it was when pman is killed and started again', async () => {
    const [one, two] = [makeGate(server), makeGate(server)];
    const { id } = await submit(`seq 1 30; ${one.wait}; seq 31 60; ${two.wait}; seq 61 90`);
    await log.show(id);
    await lastIs('30 30');
    await server.kill9();
    one.open();
    await log.page.getByRole('button', { name: 'Try again' }).waitFor();
    await server.restart();
    log.port = server.port;
    api = new ApiClient(server);
    await lastIs('60 60');
    expect(await log.page.locator('.log-note').count()).toBe(0);
    two.open();
    await lastIs('90 90');
    await log.page.locator('body').press('Escape');
    await scroller().press('Home');
    await shows('1 1');
    expect((await inView()).map((line) => line.split(' ')[1])).toEqual(
      (await inView()).map((line) => line.split(' ')[0]),
    );
  });

  it('finds a text or an expression, marks it, and goes from hit to hit', async () => {
    const id = await ended('seq 1 20000; sleep 0.2; echo Error: 7 >&2');
    await log.show(id);
    await find('777');
    await eventually(async () => (await count())?.startsWith('1/'));
    const hits = Array.from({ length: 20_000 }, (_, i) => i + 1).filter((n) =>
      String(n).includes('777'),
    );
    expect(await count()).toBe(`1/${hits.length}`);
    await shows(`${hits[0]} ${hits[0]}`);
    await log.page.keyboard.press('n');
    await shows(`${hits[1]} ${hits[1]}`);
    await eventually(
      async () => (await log.page.locator('.log-current mark').textContent()) === '777',
    );
    await log.page.keyboard.press('N');
    await log.page.keyboard.press('N');
    await eventually(async () => (await count()) === `${hits.length}/${hits.length}`);
    await shows(`${hits.at(-1)} ${hits.at(-1)}`);
    expect(await log.page.locator('.log-marks i').count()).toBeGreaterThan(3);
    await find('/^1[23]45$/');
    await eventually(async () => (await count()) === '1/2');
    await shows('1245 1245');
    await find('error');
    await eventually(async () => (await count()) === '1/1');
    await shows('20001! Error: 7');
    await find('Error: 8');
    await eventually(async () => (await count()) === 'nothing found');
    await find('/(/');
    await eventually(async () => (await count())?.includes('regex'));
  });

  it('has links to lines, which name the same while the job goes on', async () => {
    const gate = makeGate(server);
    const { id } = await submit(`seq 1 5000; ${gate.wait}; seq 5001 9000`);
    await log.show(id, '#L2500-L2502');
    await shows('2501 2501');
    expect(await log.page.locator('.log-marked').count()).toBe(3);
    expect(await follows()).toBe('false');
    gate.open();
    await eventually(async () =>
      (await log.page.locator('.log-size').textContent())?.startsWith('9,000'),
    );
    await shows('2501 2501');
    await log.page.locator('[data-line="2505"] .log-number').click();
    expect(new URL(log.page.url()).hash).toBe('#L2505');
    await log.page.locator('[data-line="2508"] .log-number').click({ modifiers: ['Shift'] });
    expect(new URL(log.page.url()).hash).toBe('#L2505-L2508');
    await eventually(async () => (await log.page.locator('.log-marked').count()) === 4);
    await log.page.evaluate("location.hash = '#L77'");
    await shows('77 77');
  });

  it('shows colours by classes and nothing of an output as a document', async () => {
    const id = await ended(
      [
        String.raw`printf '\033[31mred \033[0mplain \033[1;38;5;46mgreen\033[0m\n'`,
        String.raw`printf '\033[33m'; echo one; echo two; printf '\033[0m'; echo three`,
        "echo '<img src=x onerror=alert(1)><script>alert(2)</script>'",
        String.raw`printf '\033]8;;https://example.org/a\007good\033]8;;\007 \033]8;;javascript:alert(3)\007bad\033]8;;\007\n'`,
      ].join('; '),
    );
    await log.show(id);
    expect(await inView()).toEqual([
      ...['1 red plain green', '2 one', '3 two', '4 three'],
      '5 <img src=x onerror=alert(1)><script>alert(2)</script>',
      '6 good bad',
    ]);
    const classes = (line: number) =>
      log.page
        .locator(`[data-line="${line}"] .log-text > span`)
        .evaluateAll((all) =>
          all.map((one) => `${(one as unknown as { className: string }).className}`),
        );
    expect(await classes(1)).toEqual(['log-fail', 'log-ok log-bold']);
    expect([await classes(3), await classes(4)]).toEqual([['log-warn'], []]);
    expect(await log.page.locator('.log-rows :is(img, script, [style])').count()).toBe(0);
    const links = log.page.locator('.log-link');
    expect(await links.count()).toBe(1);
    expect(await links.getAttribute('href')).toBe('https://example.org/a');
  });

  it('gives what is selected as it was written, and keeps it while one scrolls', async () => {
    const id = await ended(
      String.raw`printf 'a\n\n  b\033[31mc\033[0m\n'; sleep 0.1; echo d >&2; sleep 0.1; seq 5 3000`,
    );
    await log.show(id, '#L1');
    await shows('5 5');
    await log.page.evaluate(`{
      const text = (line) => document.querySelector('[data-line="' + line + '"] .log-text');
      getSelection().setBaseAndExtent(text(1), 0, text(5), 1);
    }`);
    const text = 'a\n\n  bc\nd\n5';
    expect(await copied()).toBe(text);
    await scroller().press('End');
    await lastIs('3000 3000');
    expect(await copied()).toBe(text);
    expect(await log.page.evaluate('String(getSelection()).length')).toBeGreaterThan(5);
    await log.page.evaluate('getSelection().removeAllRanges()');
    await eventually(async () => (await log.page.locator('[data-line="1"]').count()) === 0);
  });

  it('copies all that is selected, however much of it is not loaded', async () => {
    const id = await ended('seq 1 6000');
    await log.show(id, '#L100');
    await shows('100 100');
    const select = (from: number, to: number) =>
      log.page.evaluate(`{
        const text = (line) => document.querySelector('[data-line="' + line + '"] .log-text');
        if (${from} !== 0) getSelection().setBaseAndExtent(text(${from}), 0, text(${from}), 1);
        else getSelection().extend(text(${to}), 1);
      }`);
    for (const to of [1500, 5500]) {
      await select(100, 0);
      await scroller().evaluate((element, line) => {
        (element as unknown as { scrollTop: number }).scrollTop = (line - 5) * 20;
      }, to);
      await shows(`${to} ${to}`);
      await select(0, to);
      await log.page.evaluate("document.execCommand('copy')");
      const lines = Array.from({ length: to - 99 }, (_, i) => String(100 + i)).join('\n');
      await eventually(() => log.page.evaluate(`copiedText === ${JSON.stringify(lines)}`), {
        message: `the lines up to ${to} to be copied`,
      });
      expect(await rows()).toBeLessThan(2200);
      await scroller().evaluate((element) => {
        (element as unknown as { scrollTop: number }).scrollTop = 95 * 20;
      });
      await shows('100 100');
    }
    await log.page.evaluate('getSelection().removeAllRanges()');
  });

  it('lives on whatever is looked for, and marks it where pman has found it', async () => {
    const a = (count: number) => 'a'.repeat(count);
    const id = await ended(`echo 'ab ${a(41)}'; echo ${a(4500)}b; echo end`);
    await log.show(id);
    await lastIs('3 end');
    await find('/(a+)+b/');
    await eventually(async () => (await count()) === '1/2');
    const marks = () => log.page.locator('.log-row mark').allTextContents();
    await eventually(async () => (await marks()).join() === `ab,${a(4096)}`);
  });

  it('finds nothing that it does not show', async () => {
    const id = await ended('echo one; sleep 0.1; echo only here >&2; sleep 0.1; echo two');
    await log.show(id);
    await lastIs('3 two');
    await find('only');
    await eventually(async () => (await count()) === '1/1');
    await log.page.getByRole('checkbox', { name: 'stderr' }).uncheck();
    await eventually(async () => (await count()) === 'nothing found in stdout');
    await log.page.getByRole('checkbox', { name: 'stderr' }).check();
    await eventually(async () => (await count())?.endsWith('/1'));
  });

  it('tells stderr apart, goes to its lines, and can leave it out', async () => {
    const id = await ended(
      'seq 1 500; sleep 0.1; echo oh >&2; sleep 0.1; seq 1 500; sleep 0.1; echo no >&2; sleep 0.1; seq 1 500',
    );
    await log.show(id);
    await lastIs('1502 500');
    await log.page.keyboard.press('E');
    await shows('1002! no');
    await log.page.keyboard.press('E');
    await shows('501! oh');
    await log.page.keyboard.press('e');
    await shows('1002! no');
    await log.page.getByRole('checkbox', { name: 'stderr' }).uncheck();
    await eventually(async () => {
      const lines = await inView();
      return lines.includes('1001 500') && lines.includes('1003 1');
    });
    await eventually(async () => (await log.page.locator('.log-stderr').count()) === 0);
    await scroller().press('End');
    await lastIs('1502 500');
  });

  it('saves and opens what was written: both outputs as they came in, or one of them', async () => {
    const id = await ended('echo one; sleep 0.2; echo oh >&2; sleep 0.2; echo two');
    await log.show(id);
    await lastIs('3 two');
    const which = log.page.getByLabel('Output to open or save');
    const saved = async (name: string) => {
      await which.selectOption(name);
      const [download] = await Promise.all([
        log.page.waitForEvent('download'),
        log.page.getByRole('button', { name: 'Download' }).click(),
      ]);
      return [download.suggestedFilename(), readFileSync(await download.path(), 'utf8')];
    };
    expect(await saved('both')).toEqual([`${id}.log`, 'one\noh\ntwo\n']);
    expect(await saved('stdout')).toEqual([`${id}.stdout.log`, 'one\ntwo\n']);
    expect(await saved('stderr')).toEqual([`${id}.stderr.log`, 'oh\n']);
    for (const [name, text] of [
      ['both', 'one\noh\ntwo\n'],
      ['stderr', 'oh\n'],
    ] as const) {
      await which.selectOption(name);
      const [raw] = await Promise.all([
        log.page.waitForEvent('popup'),
        log.page.getByRole('button', { name: 'Raw' }).click(),
      ]);
      try {
        await eventually(async () => (await raw.evaluate('document.body.textContent')) === text);
      } finally {
        // A window in front of the log keeps that from being drawn.
        await raw.close();
      }
    }
  });

  it.each([true, false])(
    'opens a window for what takes long (allowed: %s), or says why not',
    async (isAllowed) => {
      const id = await ended('echo one; sleep 0.2; echo two');
      await log.show(id);
      await lastIs('2 two');
      // As a browser does some seconds after a click, or where its user has set it so.
      await log.page.evaluate(`{
      const open = window.open.bind(window);
      let isClick = false;
      addEventListener('click', () => { isClick = true; setTimeout(() => { isClick = false; }); }, true);
      HTMLAnchorElement.prototype.click = () => {};
      window.open = (...given) => (isClick && ${isAllowed} ? open(...given) : null);
    }`);
      await log.page.route(/\/output(\?.*)?$/, async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await route.continue();
      });
      const button = log.page.getByRole('button', { name: 'Raw' });
      if (isAllowed) {
        const [raw] = await Promise.all([log.page.waitForEvent('popup'), button.click()]);
        try {
          await eventually(
            async () => (await raw.evaluate('document.body.textContent')) === 'one\ntwo\n',
          );
          expect(await raw.evaluate('opener')).toBeNull();
        } finally {
          await raw.close();
        }
      } else {
        await button.click();
        await eventually(async () => (await count())?.includes('blocked'));
      }
      await log.page.unroute(/\/output(\?.*)?$/);
    },
  );

  it('copies the lines that are marked, also those that are not loaded', async () => {
    const id = await ended('seq 1 5000');
    await log.show(id, '#L1-L4000');
    await shows('1 1');
    await log.page.keyboard.press('Escape');
    await scroller().press('y');
    await eventually(
      () => log.page.evaluate('globalThis.copiedText?.split("\\n").length === 4000'),
      { message: '4000 lines to be copied' },
    );
    expect(await log.page.evaluate('copiedText.endsWith("\\n3999\\n4000")')).toBe(true);
  });

  it('can be used by everybody', async () => {
    const id = await ended(
      String.raw`printf '\033[31mred \033[44mon blue\033[0m\n'; echo oh >&2; head -c 9000 /dev/zero | tr '\0' x`,
    );
    await log.show(id, '#L1');
    await find('r');
    await eventually(async () => (await count())?.startsWith('1/'));
    const axe = readFileSync(join(checkout, 'node_modules/axe-core/axe.min.js'), 'utf8');
    await log.page.evaluate(`${axe}; undefined`);
    const found = await log.page.evaluate(
      'axe.run(".logView").then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))',
    );
    expect(found).toEqual([]);
    // By keys alone: into the rows, through them, and to what finds.
    await scroller().focus();
    await log.page.keyboard.press('g');
    await log.page.keyboard.press('g');
    await log.page.keyboard.press('/');
    expect(await log.page.evaluate('document.activeElement.type')).toBe('search');
    await log.page.keyboard.type('n');
    expect(await log.page.getByLabel('Find in the log').inputValue()).toContain('n');
  });

  it('cuts a long line, and shows all of it when that is asked for', async () => {
    const id = await ended(`head -c 1200000 /dev/zero | tr '\\0' x; echo; echo end`);
    await log.show(id);
    await lastIs('2 end');
    const text = log.page.locator('[data-line="1"] .log-text');
    expect((await text.textContent())?.length).toBe(4096);
    await log.page.keyboard.press('w');
    await lastIs('2 end');
    await log.page.getByRole('button', { name: 'Show all of line 1, 1.2 MB' }).click();
    const whole = log.page.locator('.log-whole pre');
    await whole.waitFor();
    expect((await whole.textContent())?.length).toBe(1_200_000);
    await log.page.getByRole('button', { name: 'Close line 1' }).click();
    expect(await whole.count()).toBe(0);
  });

  it('says what is missing of a line that is too long for a page, and shows its text alone', async () => {
    const id = await ended(
      `printf '\\033[31mred\\033[0m '; head -c 5000 /dev/zero | tr '\\0' y; echo; head -c 6000000 /dev/zero | tr '\\0' x; echo`,
    );
    await log.show(id, '#L2');
    await log.page.getByRole('button', { name: 'Show all of line 1' }).click();
    const whole = log.page.locator('.log-whole');
    await whole.locator('pre').waitFor();
    expect(await whole.locator('pre').textContent()).toBe(`red ${'y'.repeat(5000)}`);
    expect(await whole.locator('.log-note').count()).toBe(0);
    await log.page.getByRole('button', { name: 'Show all of line 2' }).click();
    const said = whole.getByText('Of 6.0 MB only 4.2 MB are shown. Download has all.');
    await said.waitFor();
    await log.page.keyboard.press('y');
    await eventually(() => log.page.evaluate('globalThis.copiedText?.length === 4 * 1024 * 1024'));
    expect(await log.page.evaluate('copiedWhat')).toContain('of line 2 only 4.2 MB');
  });

  it.each([1000, 390])(
    'leaves no line out when one goes through wrapped lines, %d px wide',
    async (width) => {
      await log.page.setViewportSize({ width, height: 600 });
      const line =
        'printf "%d " $i; head -c $((i * 97 % 1500 + i / 60 * 6000)) /dev/zero | tr "\\0" w; echo';
      const id = await ended(`for i in $(seq 1 61); do ${line}; done`);
      await log.show(id);
      await log.page.getByLabel('wrap').check();
      const go = {
        PageDown: () => scroller().press('PageDown'),
        Space: () => scroller().press(' '),
        ArrowDown: () => scroller().press('ArrowDown'),
        PageUp: () => scroller().press('PageUp'),
        wheel: () => log.page.mouse.wheel(0, 240),
      };
      const drawn = () =>
        log.page.evaluate(
          'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
        );
      const numbers = async () => (await inView()).map((one) => Number(one.split(' ')[0]));
      for (const [way, step] of Object.entries(go)) {
        const [start, end] = way === 'PageUp' ? [61, 1] : [1, 61];
        await scroller().press(start === 1 ? 'Home' : 'End');
        await eventually(async () => (await numbers()).includes(start), { message: `${start}` });
        await scroller().hover();
        const seen = new Set(await numbers());
        for (let i = 0; i < 400 && !seen.has(end); i += 1) {
          await step();
          await drawn();
          for (const number of await numbers()) seen.add(number);
        }
        const missed = Array.from({ length: 61 }, (_, i) => i + 1).filter((n) => !seen.has(n));
        expect([way, missed]).toEqual([way, []]);
      }
      await log.page.setViewportSize({ width: 1000, height: 600 });
    },
  );

  it('with wrapped lines reaches each line, and follows', async () => {
    const gate = makeGate(server);
    const long =
      'awk \'BEGIN { for (i = 1; i <= 300; i++) { s = i " "; while (length(s) < 900) s = s "word "; print s } }\'';
    const { id } = await submit(`${long}; ${gate.wait}; echo last`);
    await log.show(id);
    await log.page.getByLabel('wrap').check();
    await eventually(async () => (await inView()).at(-1)?.startsWith('300 300'));
    gate.open();
    await lastIs('301 last');
    const seen = new Set<string>();
    await scroller().hover();
    for (let i = 0; i < 40; i += 1) {
      for (const line of await inView()) seen.add(line.split(' ')[0] ?? '');
      await log.page.mouse.wheel(0, -400);
      await log.page.evaluate(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
      );
    }
    const lines = [...seen].map(Number).sort((a, b) => a - b);
    const first = lines[0] ?? 0;
    expect(first).toBeLessThan(250);
    expect(lines).toEqual(Array.from({ length: 302 - first }, (_, i) => first + i));
  });

  it('goes to any place of 1.3 million lines', async () => {
    const file = join(tempDir(), 'large');
    writeFileSync(file, '');
    for (let block = 0; block < 100; block += 1) {
      const lines = Array.from({ length: 13_000 }, (_, i) => {
        return `line ${block * 13_000 + i + 1} ${'='.repeat(60)}\n`;
      });
      appendFileSync(file, lines.join(''));
    }
    const id = await ended(`cat ${file}`);
    await log.show(id);
    const isRight = async () => {
      const lines = await inView();
      for (const line of lines) expect(line).toMatch(/^(\d+) line \1 =+$/);
      return lines.length > 20 && lines;
    };
    await eventually(async () => (await inView()).at(-1)?.startsWith('1300000 '));
    for (const share of [0.5, 0.123, 0.77, 0.999, 0]) {
      await scroller().evaluate((element, part) => {
        const box = element as unknown as Record<'scrollTop' | 'scrollHeight', number>;
        box.scrollTop = part * box.scrollHeight;
      }, share);
      await eventually(
        async () => {
          const [first = ''] = (await isRight()) || [];
          return Math.abs(Number(first.split(' ')[0]) - share * 1_300_000) < 10_000;
        },
        { message: 'the lines of that place' },
      );
      expect(await rows()).toBeLessThan(250);
    }
    await log.page.evaluate("location.hash = '#L654321'");
    await eventually(
      async () => (await isRight()) && (await inView()).some((line) => line.startsWith('654321 ')),
    );
    // Small steps go by pixels, though the bar is a scale.
    const [before = ''] = await eventually(isRight);
    await scroller().hover();
    for (let i = 0; i < 10; i += 1) {
      await log.page.mouse.wheel(0, 100);
      await log.page.evaluate(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
      );
    }
    await eventually(async () => {
      const [after = ''] = (await isRight()) || [];
      return Number(after.split(' ')[0]) - Number(before.split(' ')[0]) === 50;
    });
    await eventually(() => log.page.evaluate('timers.size === 0'), { message: 'no timers' });
    const [settled = ''] = await eventually(isRight);
    expect(Number(settled.split(' ')[0]) - Number(before.split(' ')[0])).toBe(50);
    await scroller().press('End');
    await eventually(async () => (await inView()).at(-1)?.startsWith('1300000 '));
    await scroller().press('g');
    await scroller().press('g');
    await eventually(async () => (await inView())[0]?.startsWith('1 '));
  });
});
