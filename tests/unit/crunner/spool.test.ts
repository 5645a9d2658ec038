import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createSpool,
  partFiles,
  readOutput,
  readRequest,
  readSpool,
  writeRecord,
} from '../../../crunner/spool.ts';
import { tempDir } from '../../helpers/tempDir.ts';

let folder = '';
beforeEach(() => {
  folder = join(tempDir(), 'job');
});

const REQUEST = {
  parts: ['echo ü', 'exit 3'],
  owner: { any: ['thing'] },
  cwd: '/tmp',
  env: { A: 'b' },
};

describe('a spool folder', () => {
  it('gives back the request, and nothing else lies in it', () => {
    createSpool(folder, REQUEST);
    expect(readRequest(folder)).toEqual(REQUEST);
    expect(readSpool(folder)).toEqual({ request: REQUEST, parts: [] });
    expect(readdirSync(folder)).toEqual(['request.json']);
  });

  it('holds no accepted job before the request is whole', () => {
    expect(readSpool(folder)).toBeUndefined();
    mkdirSync(folder);
    expect(readSpool(folder)).toBeUndefined();
    writeFileSync(join(folder, 'request.json.new'), JSON.stringify(REQUEST));
    expect(readSpool(folder)).toBeUndefined();
    writeFileSync(join(folder, 'request.json'), '{"parts": ["ec');
    expect(readSpool(folder)).toBeUndefined();
  });

  it('accepts nothing when the disk refuses', () => {
    writeFileSync(folder, '');
    expect(() => createSpool(join(folder, 'x'), REQUEST)).toThrow('ENOTDIR');
  });

  it('tells which parts have started and ended', () => {
    createSpool(folder, REQUEST);
    const start = { pid: 5, startedAt: 1.25, ticks: '99' };
    const end = { endedAt: 2.5, returncode: -9, cause: 'killed', last: true };
    writeRecord(partFiles(folder, 0).start, start);
    expect(readSpool(folder)?.parts).toEqual([{ start }]);
    writeRecord(partFiles(folder, 0).end, end);
    expect(readSpool(folder)?.parts).toEqual([{ start, end }]);
    writeRecord(partFiles(folder, 1).start, start);
    expect(readSpool(folder)?.parts).toEqual([{ start, end }, { start }]);
  });

  it('takes a record cut short for one that was never written', () => {
    createSpool(folder, REQUEST);
    const start = { pid: 5, startedAt: 1 };
    writeRecord(partFiles(folder, 0).start, start);
    writeFileSync(partFiles(folder, 0).end, '{"endedAt": 2, "ret');
    expect(readSpool(folder)?.parts).toEqual([{ start }]);
    writeFileSync(partFiles(folder, 0).start, '');
    expect(readSpool(folder)?.parts).toEqual([]);
  });

  it('knows no part beyond those of the request', () => {
    createSpool(folder, { parts: ['a'], owner: null });
    for (const k of [0, 1, 2]) writeRecord(partFiles(folder, k).start, { pid: 1, startedAt: 1 });
    expect(readSpool(folder)?.parts).toHaveLength(1);
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
    ['a\r\nb\rc\n', 'a\nb\nc\n'],
    ['\r\r\n', '\n\n'],
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
