import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PartOutputs } from '../../../../lib/jobs/outputPieces.ts';
import { LineIndex } from '../../../../lib/lines/lineIndex.ts';
import { OutputFiles } from '../../../helpers/outputFiles.ts';

const LIMITS = { count: 10_000, lineBytes: 4096, allBytes: 1024 * 1024 * 1024 };
const never = () => false;

function advanced(index: LineIndex, parts: readonly PartOutputs[], now = Date.now()) {
  index.open(parts);
  try {
    const isWhole = index.advance(parts, now, never);
    return { isWhole, lines: index.read(1, LIMITS), open: index.openLines(4096) };
  } finally {
    index.close();
  }
}

function readFrom(index: LineIndex, parts: readonly PartOutputs[], from: number, more = {}) {
  index.open(parts);
  try {
    return index.read(from, { ...LIMITS, ...more });
  } finally {
    index.close();
  }
}

const told = (lines: readonly { stream: string; text: string }[]) =>
  lines.map(({ stream, text }) => `${stream === 'stdout' ? 'o' : 'e'} ${text}`);

interface Said {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** The lines as a reader of the rule in the document would number them. */
function model(said: readonly Said[]): string[] {
  const lines: { stream: string; text: string; isOpen: boolean }[] = [];
  for (const { stream, text } of said) {
    for (const char of text) {
      let line = lines.find((one) => one.stream === stream && one.isOpen);
      if (line === undefined) {
        line = { stream, text: '', isOpen: true };
        lines.push(line);
      }
      if (char === '\n') line.isOpen = false;
      else line.text += char;
    }
  }
  return told(lines);
}

describe('the lines of a job', () => {
  it('have the order in which they began, and are of one output each', () => {
    const files = new OutputFiles();
    files.say('stdout', 'one\ntwo, ');
    files.say('stderr', 'oh\n');
    files.say('stdout', 'and more\nthree\n');
    const { lines } = advanced(new LineIndex(), [files.outputs]);
    expect(told(lines)).toEqual(['o one', 'o two, and more', 'e oh', 'o three']);
    expect(lines.map(({ seenAt }) => new Date(seenAt).toISOString().slice(17, 19))).toEqual([
      ...['01', '01', '02', '03'],
    ]);
  });

  it('keep their numbers while the job goes on, whatever comes in pieces', () => {
    const saying = fc.array(
      fc.record({
        stream: fc.constantFrom('stdout' as const, 'stderr' as const),
        text: fc.string({
          unit: fc.constantFrom('a', 'é', '\n', '😀', ' '),
          maxLength: 6,
          minLength: 1,
        }),
        look: fc.boolean(),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(saying, (said) => {
        const files = new OutputFiles();
        const index = new LineIndex();
        for (const [i, { stream, text, look }] of said.entries()) {
          files.say(stream, text);
          if (!look) continue;
          const { lines, open } = advanced(index, [files.outputs]);
          expect(told(lines)).toEqual(model(said.slice(0, i + 1)));
          expect(lines.filter(({ isOpen }) => isOpen).map(({ line }) => line)).toEqual(
            open.map(({ line }) => line).sort((a, b) => a - b),
          );
        }
        files.hasEnded = true;
        expect(told(advanced(index, [files.outputs]).lines)).toEqual(model(said));
        // Somebody who comes later sees the same.
        expect(told(advanced(new LineIndex(), [files.outputs]).lines)).toEqual(model(said));
      }),
      { numRuns: 60 },
    );
  });

  it('are found from any place, and those of many bytes with their lengths', () => {
    const text = Array.from({ length: 25_000 }, (_, i) => `line ${i + 1}`);
    text[12_344] = 'x'.repeat(3_000_000);
    text[12_345] = 'é'.repeat(4000);
    const files = OutputFiles.ended(`${text.join('\n')}\n`);
    const index = new LineIndex();
    advanced(index, [files.outputs]);
    expect(index.total).toBe(25_000);
    for (const from of [1, 2, 999, 1000, 1001, 1002, 12_344, 12_347, 24_999, 25_000]) {
      const [first, second] = readFrom(index, [files.outputs], from, { count: 2 });
      expect(first).toMatchObject({ line: from, text: text[from - 1]?.slice(0, 4096) });
      expect(second?.line).toBe(from < 25_000 ? from + 1 : undefined);
    }
    const [long, accents] = readFrom(index, [files.outputs], 12_345, { count: 2 });
    expect(long).toMatchObject({ bytes: 3_000_000, text: 'x'.repeat(4096) });
    expect(accents).toMatchObject({ bytes: 8000, text: 'é'.repeat(2048) });
    const [cut] = readFrom(index, [files.outputs], 12_346, { lineBytes: 4097 });
    expect(cut?.text).toBe('é'.repeat(2048));
    const [all] = readFrom(index, [files.outputs], 12_345, { lineBytes: 5_000_000, count: 1 });
    expect(all?.text).toHaveLength(3_000_000);
    // Less of a line is asked for than what is long: its own end counts, and not that of another one.
    const short = readFrom(index, [files.outputs], 24_999, { lineBytes: 4, count: 2 });
    expect(short).toMatchObject([
      { text: 'line', bytes: 10, isOpen: false },
      { text: 'line', bytes: 10, isOpen: false },
    ]);
    const few = readFrom(index, [files.outputs], 1, { allBytes: 20 });
    expect(few.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(index.weight).toBeLessThan(10_000);
  });

  it.each([4097, 60_000, 65_535, 65_536, 65_537, 70_000, 131_073, 500_000])(
    'of %d bytes are told as they begin, and nothing of other places or lines is in them',
    (length) => {
      const numbers = Array.from({ length: length / 5 + 1 }, (_, i) => `${i + 10_000}`.slice(-5));
      const long = numbers.join('').slice(0, length);
      const files = OutputFiles.ended(`before\n${long}\nbehind\n${long}`);
      const index = new LineIndex();
      for (const lineBytes of [1, 100, 4096]) {
        advanced(index, [files.outputs]);
        const lines = readFrom(index, [files.outputs], 1, { lineBytes });
        const told = long.slice(0, lineBytes);
        expect(lines.map(({ text }) => text)).toEqual([
          ...['before'.slice(0, lineBytes), told, 'behind'.slice(0, lineBytes), told],
        ]);
        index.open([files.outputs]);
        expect(index.openLines(lineBytes)).toMatchObject([{ text: told, bytes: length }]);
        index.close();
      }
    },
  );

  it('that a program has written over and over are told as they are at last', () => {
    const progress = Array.from({ length: 5000 }, (_, i) => `${i}/5000`).join('\r');
    const files = OutputFiles.ended(`${progress}\r\n${'x'.repeat(9000)}\n`);
    const index = new LineIndex();
    const { lines } = advanced(index, [files.outputs]);
    expect(lines[0]).toMatchObject({ text: '4999/5000\r', bytes: progress.length + 1 });
    expect(lines[1]).toMatchObject({ text: 'x'.repeat(4096) });
  });

  it('of which nobody knows the order yet are held back for a moment while the part runs', () => {
    const files = new OutputFiles();
    const index = new LineIndex();
    files.say('stdout', 'a\n', false);
    files.say('stderr', 'b\n', false);
    files.cutLog();
    expect(advanced(index, [files.outputs], 1000)).toMatchObject({ isWhole: false, lines: [] });
    expect(advanced(index, [files.outputs], 1030).lines).toEqual([]);
    const { isWhole, lines } = advanced(index, [files.outputs], 1100);
    expect([isWhole, told(lines)]).toEqual([true, ['o a', 'e b']]);
    files.say('stdout', 'c', false);
    files.hasEnded = true;
    expect(told(advanced(index, [files.outputs], 1101).lines)).toEqual(['o a', 'e b', 'o c']);
  });

  it('of several parts come one part after the other, and late ones where they were seen', () => {
    const [one, two, three] = [
      OutputFiles.ended('1\n', '1e\n'),
      new OutputFiles(),
      new OutputFiles(),
    ];
    two.say('stdout', '2\n');
    two.hasEnded = true;
    const parts = () => [one, two, three].map(({ outputs }) => outputs);
    const index = new LineIndex();
    expect(told(advanced(index, parts()).lines)).toEqual(['o 1', 'e 1e', 'o 2']);
    three.say('stderr', '3\n');
    expect(told(advanced(index, parts()).lines)).toEqual(['o 1', 'e 1e', 'o 2', 'e 3']);
    for (let i = 0; i < 5; i += 1) two.say('stdout', `late ${i}\n`);
    const after = [...Array(5).keys()].map((i) => `o late ${i}`);
    expect(told(advanced(index, parts()).lines)).toEqual(['o 1', 'e 1e', 'o 2', 'e 3', ...after]);
  });

  it('are taken in step by step when there are many', () => {
    const files = OutputFiles.ended('line\n'.repeat(400_000));
    const index = new LineIndex();
    const parts = [files.outputs];
    const seen: number[] = [];
    for (let isWhole = false; !isWhole; ) {
      let looks = 0;
      index.open(parts);
      isWhole = index.advance(parts, 0, () => ++looks > 2);
      index.close();
      seen.push(index.total);
    }
    expect(seen.length).toBeGreaterThan(3);
    expect(index.total).toBe(400_000);
    expect(index.bytes).toBe(2_000_000);
  });

  it('are those of the record where the files are gone', () => {
    const text = (bytes: string) => ({ text: Buffer.from(bytes) });
    const parts = [{ stdout: text('a\nb'), stderr: text('c\n'), hasEnded: true }];
    expect(told(advanced(new LineIndex(), parts).lines)).toEqual(['o a', 'o b', 'e c']);
    const gone = { file: '/nowhere/0.out' };
    expect(advanced(new LineIndex(), [{ stdout: gone, stderr: gone, hasEnded: true }])).toEqual({
      ...{ isWhole: true, lines: [], open: [] },
    });
  });
});
