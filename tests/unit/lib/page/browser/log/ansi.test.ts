import { describe, expect, it } from '@jest/globals';
import anser from 'anser';
import fc from 'fast-check';
import { type Look, PLAIN, showLine, textOf } from '../../../../../../lib/page/browser/log/ansi.ts';
import { classesOf } from '../../../../../../lib/page/browser/log/ansiClasses.ts';

const ESC = '\u001b';
/** What a browser would not show as a character. */
const isControl = (character: string) =>
  (character < ' ' && character !== '\t' && character !== '\n') || character === '\u007f';
const shown = (line: string, look: Look = PLAIN) =>
  showLine(line, look).spans.map(({ text, look: its }) => [text, classesOf(its)]);
const text = (line: string) => textOf(showLine(line, PLAIN).spans);

describe('colours of a terminal', () => {
  it('become classes, and go on in the next line', () => {
    expect(shown(`a${ESC}[31mb${ESC}[1;4mc${ESC}[0md`)).toEqual([
      ...[
        ['a', ''],
        ['b', 'log-fail'],
        ['c', 'log-fail log-bold log-underline'],
        ['d', ''],
      ],
    ]);
    const { look } = showLine(`${ESC}[32;44mon`, PLAIN);
    expect(shown('and on', look)).toEqual([['and on', 'log-ok log-ground']]);
    expect(shown(`${ESC}[39;49moff`, look)).toEqual([['off', '']]);
    expect(showLine(`${ESC}[m`, look).look).toBe(PLAIN);
    expect(shown(`${ESC}[1;1;2;3;4;7;9;22;23;24;27;29mx`)).toEqual([['x', '']]);
  });

  it('of all kinds become one of the page, which can be read on its grounds', () => {
    const colour = (parameters: string) => shown(`${ESC}[${parameters}mx`)[0]?.[1];
    expect(['31', '92', '33', '94', '35', '36', '37', '90'].map(colour)).toEqual([
      ...['log-fail', 'log-ok', 'log-warn', 'log-run', 'log-lost', 'log-run', '', 'log-muted'],
    ]);
    expect(
      ['38;5;196', '38;5;46', '38;5;21', '38;5;240', '38;5;255', '38;5;9'].map(colour),
    ).toEqual([...['log-fail', 'log-ok', 'log-run', 'log-muted', '', 'log-fail']]);
    expect(
      ['38;2;255;165;0', '38;2;250;250;250', '38:2::200:0:200', '38;2;0;180;160'].map(colour),
    ).toEqual([...['log-warn', '', 'log-lost', 'log-ok']]);
    expect(['7', '48;5;3', '2', '9;3', '38;5;300', '38', '4:3', '4:0', '999'].map(colour)).toEqual([
      ...[
        'log-ground',
        'log-ground',
        'log-muted',
        'log-italic log-strike',
        '',
        '',
        'log-underline',
        '',
        '',
      ],
    ]);
  });

  it('are those that another program reads, whatever comes', () => {
    const code = fc.oneof(
      // It takes one of two bolds back (22); a terminal takes all.
      fc.constantFrom('0', '1', '3', '4', '31', '42', '39', '49', '95', '103'),
      fc.integer({ min: 0, max: 255 }).map((n) => `38;5;${n}`),
      fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((rgb) => `48;2;${rgb.join(';')}`),
    );
    const word = fc.string({
      unit: fc.constantFrom('a', 'é', ' ', '<', '😀'),
      minLength: 1,
      maxLength: 3,
    });
    const piece = fc.tuple(fc.array(code, { minLength: 1, maxLength: 3 }), word);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const line = pieces.map(([codes, said]) => `${ESC}[${codes.join(';')}m${said}`).join('');
        const expected = anser
          .ansiToJson(line, { use_classes: true, remove_empty: true })
          .map(({ content, fg, bg, fg_truecolor, bg_truecolor, decorations }) => ({
            content,
            // It does not forget these by itself.
            text: fg === 'ansi-truecolor' ? fg_truecolor : fg,
            ground: bg === 'ansi-truecolor' ? bg_truecolor : bg,
            more: [...new Set(decorations)].sort().join(),
          }));
        const ours = showLine(line, PLAIN).spans.map(({ text: content, look }) => ({
          content,
          ...{ text: named(look.text), ground: named(look.ground) },
          more: (['bold', 'italic', 'underline'] as const)
            .filter((one) => look[one] === true)
            .join(),
        }));
        expect(joined(ours)).toEqual(joined(expected));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['🚀🚀🚀\rx', 'x🚀🚀'],
    ['abc\r🚀', '🚀bc'],
    ['🚀🚀\r\u001b[31mab', 'ab'],
    ['a🚀b\rxy\u001b[K', 'xy'],
  ])('never show half a character: %j', (line, shown) => {
    expect(textOf(showLine(line, PLAIN).spans)).toBe(shown);
  });

  /** As the other program names a colour. */
  function named(colour: Look['text']): string | null {
    const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
    if (colour === undefined) return null;
    if (typeof colour !== 'number') return colour.join(', ');
    if (colour < 8) return `ansi-${names[colour]}`;
    return colour < 16 ? `ansi-bright-${names[colour - 8]}` : `ansi-palette-${colour}`;
  }

  /** What looks the same is one piece. */
  function joined(
    pieces: readonly { content: string; text: unknown; ground: unknown; more: string }[],
  ) {
    return pieces.flatMap(({ content, ...look }) =>
      [...content].map((character) => `${character} ${JSON.stringify(look)}`),
    );
  }
});

describe('a line of a terminal', () => {
  it('is what is there at last', () => {
    expect(text('10%\r55%\r100%')).toBe('100%');
    expect(text('long text\rshort')).toBe('shorttext');
    expect(text(`long text\rshort${ESC}[K`)).toBe('short');
    expect(text(`long text\r${ESC}[2Knew`)).toBe('new');
    expect(text('text\r')).toBe('text');
    expect(shown(`${ESC}[31mred text\r${ESC}[32mgre`)).toEqual([
      ['gre', 'log-ok'],
      [' text', 'log-fail'],
    ]);
  });

  it('has no other orders in it', () => {
    expect(
      text(`a${ESC}[2J${ESC}[10;20Hb${ESC}]0;title\u0007c${ESC}(Bd\u0007\u0008e${ESC}Pq${ESC}\\f`),
    ).toBe('abcdef');
    expect(text(`a${ESC}[31`)).toBe('a');
    expect(text('a\tb')).toBe('a\tb');
  });

  it('has links to the web alone', () => {
    const link = (address: string) =>
      showLine(`${ESC}]8;;${address}${ESC}\\x${ESC}]8;;${ESC}\\y`, PLAIN).spans.map(
        ({ look }) => look.link,
      );
    expect(link('https://example.org/?a=b;c')).toEqual(['https://example.org/?a=b;c', undefined]);
    for (const address of [
      'javascript:alert(1)',
      'file:///etc/passwd',
      ' javascript:x',
      'https://',
      'data:,x',
    ]) {
      expect(link(address).every((one) => one === undefined)).toBe(true);
    }
    const { look } = showLine(`${ESC}]8;;http://a.b${ESC}\\${ESC}[1mx${ESC}[0m`, PLAIN);
    expect(look.link).toBe('http://a.b');
  });

  it('loses no text, and is read in pieces as in one', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 5 }).filter((one) => ![...one].some(isControl)),
      fc.constantFrom(`${ESC}[31m`, `${ESC}[0m`, `${ESC}[?25l`, `${ESC}]0;x\u0007`),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (one, two) => {
        const first = showLine(one.join(''), PLAIN);
        const both = showLine([...one, ...two].join(''), PLAIN);
        const second = showLine(two.join(''), first.look);
        expect(textOf(both.spans)).toBe(textOf(first.spans) + textOf(second.spans));
        expect(textOf(first.spans)).toBe(one.filter((said) => !said.startsWith(ESC)).join(''));
        expect(both.look).toEqual(second.look);
      }),
    );
  });

  it('of any bytes takes no time, and leaves nothing that a browser obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        expect([...text(line)].filter(isControl)).toEqual([]);
      }),
    );
    const begun = process.cpuUsage();
    for (const hostile of [`${ESC}[`, `${ESC}[1;`, `${ESC}]8;;`, '\rx', `${ESC}[31mx`]) {
      text(hostile.repeat(4096 / hostile.length));
    }
    // Of the processor, not by the clock.
    expect(process.cpuUsage(begun).user).toBeLessThan(2_000_000);
  });
});
