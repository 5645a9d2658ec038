import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FileVersion, Settling } from '../../../../lib/access/settling.ts';

const BEFORE = 'first-token\nsecond-token\n';

/** A file whose changes and clock are the test's. */
class FakeFile {
  text = BEFORE;
  now = 0;
  #writes = 0;
  #inode = 0;
  #isMoved = false;
  readonly settling: Settling;

  constructor() {
    this.settling = new Settling(this.text, this.version());
  }

  version(): FileVersion {
    return {
      stamp: `${this.#inode} ${this.#writes}`,
      identity: String(this.#inode),
      isMoved: this.#isMoved,
    };
  }

  read(): string {
    return this.text;
  }

  write(text: string): void {
    this.text = text;
    this.#writes += 1;
    this.#isMoved = false;
  }

  replace(text: string): void {
    this.write(text);
    this.#inode += 1;
    this.#isMoved = true;
  }

  look() {
    return this.settling.look(this, this.now);
  }

  /** Looks whenever it is told to, for so long; the texts that counted, and when. */
  watch(ms: number): { text: string; at: number }[] {
    const counted: { text: string; at: number }[] = [];
    const until = this.now + ms;
    for (;;) {
      const seen = this.look();
      if ('text' in seen) counted.push({ text: seen.text, at: this.now });
      const againMs = 'text' in seen ? undefined : seen.againMs;
      if (againMs === undefined || this.now + againMs > until) break;
      this.now += againMs;
    }
    this.now = until;
    return counted;
  }
}

describe('Settling', () => {
  it('waits for nothing while nothing changes', () => {
    expect(new FakeFile().look()).toEqual({ againMs: undefined });
  });

  it('lets a change count when the file was left alone for a moment', () => {
    const file = new FakeFile();
    file.write('first-token\nthird-token\n');
    expect(file.watch(5000)).toEqual([{ text: 'first-token\nthird-token\n', at: 100 }]);
    expect(file.look()).toEqual({ againMs: undefined });
  });

  it.each([
    ['emptied', ''],
    ['written to the middle of a line', 'first-token\nsec'],
    ['written to the end of a line', 'first-token\n'],
    ['written to the middle of a new line', 'other-token\nsec'],
  ])('does not take a file for whole that is just %s', (_what, half) => {
    const file = new FakeFile();
    file.write(half);
    expect(file.watch(900)).toEqual([]);
    file.write('other-token\nsecond-token\n');
    expect(file.watch(5000)).toEqual([{ text: 'other-token\nsecond-token\n', at: 1000 }]);
  });

  it('lets the last token be taken away in place within a second', () => {
    const file = new FakeFile();
    file.write('first-token\n');
    expect(file.watch(5000)).toEqual([{ text: 'first-token\n', at: 1000 }]);
  });

  it.each(['first-token\n', 'other-token', ''])(
    'lets a whole file that was put in its place count at once: %j',
    (text) => {
      const file = new FakeFile();
      file.replace(text);
      expect(file.look()).toEqual({ text });
    },
  );

  it('is not kept waiting by somebody who writes all the time', () => {
    const file = new FakeFile();
    const counted: { text: string; at: number }[] = [];
    for (let i = 0; i < 40 && counted.length === 0; i += 1) {
      file.write(`token-${i}\n`);
      counted.push(...file.watch(60));
    }
    expect(counted[0]?.at).toBeLessThanOrEqual(2060);
  });

  it('does not count what changes while it is read', () => {
    const file = new FakeFile();
    file.write('x\ny\n');
    file.look();
    file.now = 100;
    const changing = {
      version: () => file.version(),
      read: () => {
        file.write('x\nz\n');
        return 'x\ny\n';
      },
    };
    expect(file.settling.look(changing, file.now)).toHaveProperty('againMs');
    expect(file.watch(5000)).toEqual([{ text: 'x\nz\n', at: 200 }]);
  });

  it('tells once of a file that cannot be read', () => {
    const file = new FakeFile();
    file.write('x');
    file.look();
    file.now = 1000;
    const broken = {
      version: () => file.version(),
      read: () => {
        throw new Error('EACCES');
      },
    };
    expect(() => file.settling.look(broken, file.now)).toThrow('EACCES');
    expect(file.settling.look(broken, file.now)).toEqual({ againMs: undefined });
  });

  it('never lets a piece count, however the pieces are cut, when none comes later than a moment', () => {
    const after = 'new-token\nsecond-token\nanother\n';
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: after.length - 1 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 9, maxLength: 9 }),
        (cuts, pauses) => {
          const file = new FakeFile();
          const counted: { text: string; at: number }[] = [];
          for (const [i, cut] of [0, ...cuts.sort((a, b) => a - b)].entries()) {
            file.write(after.slice(0, cut));
            counted.push(...file.watch(pauses[i] ?? 0));
          }
          file.write(after);
          counted.push(...file.watch(5000));
          expect(counted.map(({ text }) => text)).toEqual([after]);
        },
      ),
    );
  });
});
