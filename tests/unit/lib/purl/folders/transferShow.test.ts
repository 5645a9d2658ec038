import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { FilesDone } from '../../../../../lib/purl/folders/filesDone.ts';
import { signsFor } from '../../../../../lib/purl/folders/showFor.ts';
import {
  ASCII_SIGNS,
  barLine,
  plainLine,
  summaryLine,
  UTF8_SIGNS,
} from '../../../../../lib/purl/folders/transferLine.ts';
import { jsonShow, linesShow, redrawnShow } from '../../../../../lib/purl/folders/transferShow.ts';
import { amount, rate, span, took } from '../../../../../lib/purl/folders/transferWords.ts';

const MIB = 1024 * 1024;
const state = {
  ...{ bytes: 788 * MIB, totalBytes: 1270 * MIB, files: 214, totalFiles: 318 },
  ...{ bytesPerSecond: 94 * MIB, secondsLeft: 5.1 },
};

class Screen extends Writable {
  text = '';
  columns = 80;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe('the line of a transfer', () => {
  it('is what people read at 80 columns', () => {
    expect(barLine(state, 80, UTF8_SIGNS)).toBe(
      ' 62 %  ███████████████████░░░░░░░░░░░  788 MiB  94 MiB/s  5 s left  214/318',
    );
  });

  it('has a shorter bar, then none, on a narrow terminal', () => {
    expect(barLine(state, 60, ASCII_SIGNS)).toBe(
      ' 62 %  #########-----  788 MiB  94 MiB/s  5 s left  214/318',
    );
    expect(barLine(state, 50, UTF8_SIGNS)).toBe(' 62 %  788 MiB  94 MiB/s  5 s left  214/318');
    for (let columns = 2; columns < 100; columns += 1) {
      expect(barLine(state, columns, UTF8_SIGNS).length).toBeLessThan(columns);
    }
  });

  it('ends with what it came to', () => {
    const done = { files: 318, bytes: 1270 * MIB, seconds: 13.4, alreadyThere: 12 };
    expect(summaryLine(done, UTF8_SIGNS)).toBe(
      '✓ 318 files, 1.24 GiB in 13.4 s (95 MiB/s), 12 were there already',
    );
    expect(summaryLine({ files: 0, bytes: 0, seconds: 0.5, alreadyThere: 12 }, ASCII_SIGNS)).toBe(
      '+ all 12 files were there already (looked for 0.50 s)',
    );
  });

  it('has amounts with their units', () => {
    expect([0, 999, 1023, 1024, 10 * MIB, 1000 * MIB].map(amount)).toEqual([
      ...['0 B', '999 B', '1.00 KiB', '1.00 KiB', '10.0 MiB', '0.98 GiB'],
    ]);
    expect([0, 9.5 * MIB, 94.6 * MIB].map(rate)).toEqual(['0 B/s', '9.50 MiB/s', '95 MiB/s']);
    expect([4.6, 184, 7500].map(span)).toEqual(['5 s', '3m04s', '2h05m']);
    expect([0.421, 13.42, 184].map(took)).toEqual(['0.42 s', '13.4 s', '3m04s']);
  });
});

describe('what is shown while files move', () => {
  it('is drawn again at most five times a second, at the width of that moment', () => {
    const screen = new Screen();
    let now = 0;
    const show = redrawnShow(screen, ASCII_SIGNS, () => now);
    show.begin({ files: 10, bytes: 1000 });
    for (; now < 1000; now += 10) {
      if (now === 500) screen.columns = 30;
      show.at({ files: 0, bytes: now });
    }
    show.end();
    const lines = screen.text.split('\r').filter((line) => line !== '');
    expect(lines).toHaveLength(6);
    const shown = lines.map((line) => line.replace('\x1b[K', ''));
    expect(shown.slice(0, 5).map((line) => line.length < 80)).toEqual(Array(5).fill(true));
    expect(Math.max(...shown.slice(3).map((line) => line.length))).toBeLessThan(30);
    // The line goes.
    expect(shown[5]).toBe('');
  });

  it('is a line at each tenth or half minute where nothing can be drawn again', () => {
    const out = new Screen();
    let now = 0;
    const show = linesShow(out, () => now);
    show.begin({ files: 4, bytes: 1000 });
    for (; now <= 100_000; now += 100) show.at({ files: 0, bytes: Math.min(250, now / 100) });
    expect(out.text.match(/^\d+ %/gm)).toEqual(['10 %', '20 %', '25 %', '25 %']);
    expect(out.text).not.toContain('\x1b');
  });

  it('says nothing of what is over at once', () => {
    const out = new Screen();
    const show = linesShow(out, () => 0);
    show.begin({ files: 1, bytes: 10 });
    show.at({ files: 1, bytes: 10 });
    expect(out.text).toBe('');
  });

  it('is JSON where that is asked for', () => {
    const out = new Screen();
    let now = 0;
    const show = jsonShow(out, () => now);
    show.begin({ files: 2, bytes: 1000 });
    now = 600;
    show.at({ files: 1, bytes: 600 });
    expect(JSON.parse(out.text)).toEqual({
      progress: {
        ...{ bytes: 600, totalBytes: 1000, files: 1, totalFiles: 2 },
        ...{ bytesPerSecond: 1000, secondsLeft: 0.4 },
      },
    });
  });

  it('has no signs that a terminal does not know', () => {
    expect(signsFor({ LANG: 'de_DE.UTF-8' })).toBe(UTF8_SIGNS);
    expect(signsFor({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' })).toBe(ASCII_SIGNS);
    expect(plainLine({ ...state, secondsLeft: undefined })).toBe(
      '62 %  788 MiB  94 MiB/s  214/318',
    );
  });

  it('counts files by the bytes that are done', () => {
    const done = new FilesDone([10, 0, 5]);
    expect([9, 10, 14, 15, 3].map((bytes) => done.at(bytes))).toEqual([0, 2, 2, 3, 0]);
  });
});
