import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readOutput } from '../../../../crunner/detached/outputExcerpt.ts';
import {
  closeSpool,
  createSpool,
  isOpenSpool,
  openSpool,
  partFiles,
  readMendedSpool,
  readSpool,
  writeLine,
} from '../../../../crunner/detached/spool.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = join(tempDir(), 'job');
});

const REQUEST = {
  parts: ['echo ü', 'exit 3'],
  owner: { any: ['thing'] },
  limits: { cwd: '/tmp', env: { A: 'b' }, timeoutMs: 5 },
  fsync: true,
};

describe('a spool folder', () => {
  const journal = () => join(folder, 'job.jsonl');
  const start = { pid: 5, startedAt: 1.25, ticks: '99' };
  const end = { endedAt: 2.5, returncode: -9, cause: 'killed', last: true };

  it('gives back the request, and nothing else lies in it', () => {
    createSpool(folder, REQUEST);
    expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [] });
    expect(readdirSync(folder)).toEqual(['job.jsonl']);
  });

  it('is made anew for a job that is known otherwise, unless it has a journal', () => {
    mkdirSync(folder);
    writeFileSync(journal(), '{"request":');
    writeFileSync(join(folder, '0.out'), 'of another try');
    openSpool(folder, REQUEST);
    expect(readdirSync(folder)).toEqual(['job.jsonl']);
    writeLine(folder, { part: 0, start }, false);
    openSpool(folder, REQUEST);
    expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [{ start }] });
  });

  it.each(['null', '5', '[]', '"x"', '{"request":5}', '{"part":0}', '{"part":"0","start":5}'])(
    'leaves out a line that is JSON and none of ours: %s',
    (line) => {
      mkdirSync(folder);
      writeFileSync(journal(), `${line}\n`);
      expect(readSpool(folder)).toBeUndefined();
      writeFileSync(journal(), `${JSON.stringify({ request: REQUEST })}\n${line}\n`);
      expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [] });
    },
  );

  it('holds no accepted job before the request is whole', () => {
    expect(readSpool(folder)).toBeUndefined();
    mkdirSync(folder);
    expect(readSpool(folder)).toBeUndefined();
    const line = JSON.stringify({ request: REQUEST });
    for (const cut of ['', line.slice(0, 20), line]) {
      writeFileSync(journal(), cut);
      expect(readSpool(folder)).toBeUndefined();
    }
    writeFileSync(journal(), `${line}\n`);
    expect(readSpool(folder)?.request).toEqual(REQUEST);
  });

  it('accepts nothing when the disk refuses', () => {
    writeFileSync(folder, '');
    expect(() => createSpool(join(folder, 'x'), REQUEST)).toThrow('ENOTDIR');
  });

  it.each([true, false])('tells which parts have started and ended (fsync %j)', (fsync) => {
    createSpool(folder, REQUEST);
    writeLine(folder, { part: 0, start }, fsync);
    expect(readSpool(folder)?.parts).toMatchObject([{ start }]);
    expect(readSpool(folder)?.parts[0]?.end).toBeUndefined();
    writeLine(folder, { part: 0, end }, fsync);
    expect(readSpool(folder)?.parts).toMatchObject([{ start, end }]);
    writeLine(folder, { part: 1, start }, fsync);
    expect(readSpool(folder)?.parts).toMatchObject([{ start, end }, { start }]);
  });

  it('takes the end of a part that was told again', () => {
    createSpool(folder, REQUEST);
    for (const last of [false, true]) writeLine(folder, { part: 0, end: { ...end, last } }, false);
    expect(readSpool(folder)?.parts).toMatchObject([{ end: { last: true } }]);
  });

  it('takes a line cut short, wherever, for one that was never written', () => {
    createSpool(folder, REQUEST);
    writeLine(folder, { part: 0, start }, false);
    const before = readFileSync(journal());
    writeLine(folder, { part: 0, end }, false);
    const whole = readFileSync(journal());
    for (let length = before.length; length < whole.length; length += 1) {
      writeFileSync(journal(), whole.subarray(0, length));
      expect(readSpool(folder)?.parts).toMatchObject([{ start }]);
      expect(readSpool(folder)?.parts[0]?.end).toBeUndefined();
    }
  });

  it.each(['\0\0\0', '{"part":0,"sta', '\0\0\0\n', ''])(
    'leaves out %j of a crash of the machine, and takes what is written later',
    (bytes) => {
      createSpool(folder, REQUEST);
      appendFileSync(journal(), bytes);
      expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [] });
      expect(readMendedSpool(folder)).toEqual({ request: REQUEST, parts: [] });
      writeLine(folder, { part: 1, start }, false);
      expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [{}, { start }] });
    },
  );

  it('tells that no more is to run, and why', () => {
    createSpool(folder, REQUEST);
    writeLine(folder, { dropped: 'nobody wants it' }, false);
    expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [], dropped: 'nobody wants it' });
  });

  it('refuses a line when the folder has gone', () => {
    expect(() => writeLine(folder, { part: 0, start }, false)).toThrow('ENOENT');
  });

  it('knows no part beyond those of the request', () => {
    createSpool(folder, { parts: ['a'], owner: null });
    for (const part of [0, 1, 2]) writeLine(folder, { part, start }, false);
    expect(readSpool(folder)?.parts).toHaveLength(1);
  });

  it('is open until it is closed, and keeps the outputs then', () => {
    createSpool(folder, REQUEST);
    const { out, err } = partFiles(folder, 0);
    for (const file of [out, err]) writeFileSync(file, '');
    expect(isOpenSpool(folder)).toBe(true);
    closeSpool(folder);
    closeSpool(folder);
    expect(isOpenSpool(folder)).toBe(false);
    expect(readSpool(folder)).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual(['0.err', '0.out']);
  });
});

describe('readOutput', () => {
  const outputOf = (bytes: string | Buffer, limit = 100) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'out'), bytes);
    return readOutput(join(folder, 'out'), limit);
  };

  it('finds no output where there is no file', () => {
    expect(readOutput(join(folder, 'nosuch'), 10)).toEqual({ text: '', bytes: 0, cut: false });
  });

  it.each([
    ['', ''],
    ['a\n', 'a\n'],
    ['a\r\nb\rc\n', 'a\nb\rc\n'],
    ['\r\r\n', '\r\n'],
    ['grüß😀\0', 'grüß😀\0'],
  ])('reads %j as %j', (bytes, text) => {
    expect(outputOf(bytes)).toEqual({ text, bytes: Buffer.byteLength(bytes), cut: false });
  });

  it('shows a byte that is no UTF-8 as U+FFFD', () => {
    expect(outputOf(Buffer.from([0x61, 0xff, 0x62])).text).toBe('a\ufffdb');
  });

  it('keeps as much as the limit says whole', () => {
    expect(outputOf('x'.repeat(100))).toEqual({ text: 'x'.repeat(100), bytes: 100, cut: false });
  });

  it('keeps head and tail of more, and says how much is missing', () => {
    const { text, bytes, cut } = outputOf(`${'h'.repeat(50)}${'m'.repeat(41)}${'t'.repeat(50)}`);
    expect({ bytes, cut }).toEqual({ bytes: 141, cut: true });
    expect(text).toBe(`${'h'.repeat(50)}\n[… 41 of 141 bytes left out …]\n${'t'.repeat(50)}`);
  });

  it('breaks no character where it cuts', () => {
    fc.assert(
      fc.property(fc.constantFrom('ü', '€', '😀'), fc.nat(8), fc.nat(4), (char, odd, ahead) => {
        const output = `${'x'.repeat(ahead)}${char.repeat(100)}`;
        const { text } = outputOf(output, 60 + odd);
        expect(text).not.toContain('\ufffd');
        const [head = '', note = '', tail = ''] = text.split('\n');
        expect(output.startsWith(head) && output.endsWith(tail) && tail !== '').toBe(true);
        const left = Buffer.byteLength(output) - Buffer.byteLength(head + tail);
        expect(note).toBe(`[… ${left} of ${Buffer.byteLength(output)} bytes left out …]`);
      }),
    );
  });
});
