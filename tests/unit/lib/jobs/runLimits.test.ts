import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { BadRequestError } from '../../../../lib/errors.ts';
import { hostLimits, limitFields, within } from '../../../../lib/jobs/runLimits.ts';
import { ExactNumber } from '../../../../lib/wire/json.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const schema = z.looseObject(limitFields);
const limits = (meta: object) => {
  const checked = schema.parse(meta);
  const { container, ssh } = checked;
  return hostLimits({ limits: checked, container, ssh });
};

describe('hostLimits', () => {
  it('sets no limit that was not asked for', () => {
    expect(limits({})).toEqual({});
  });

  it.each<[object, object]>([
    [{ timeout: 2 }, { timeoutMs: 2000 }],
    [{ timeout: 0.0001 }, { timeoutMs: 1 }],
    [{ timeout: new ExactNumber('1.5') }, { timeoutMs: 1500 }],
    [{ memory_limit: 1024 }, { memoryBytes: 2 ** 30 }],
    [{ memory_limit: 2 ** 29 }, { memoryBytes: 2 ** 29 }],
    [{ memory_limit: '512Mi' }, { memoryBytes: 512 * 2 ** 20 }],
    [{ memory_limit: ' 2Gi ' }, { memoryBytes: 2 ** 31 }],
    [{ memory_limit: '10.5M' }, { memoryBytes: 10_500_000 }],
    [{ memory_limit: '10000k' }, { memoryBytes: 10_000_000 }],
    [{ memory_limit: '8388608' }, { memoryBytes: 2 ** 23 }],
    [{ memory_limit: '200' }, { memoryBytes: 200 * 2 ** 20 }],
    [{ cpu_limit: '500m' }, { cpus: 0.5 }],
    [{ cpu_limit: 2 }, { cpus: 2 }],
    [{ cpu_limit: 1500 }, { cpus: 1.5 }],
    [{ cpu_limit: '0.25' }, { cpus: 0.25 }],
    [{ cpu_limit: '' }, {}],
    [{ cpu_limit: null }, {}],
    [{ cpu_limit: 0 }, {}],
    [{ cpu_limit: '2', container: {} }, {}],
    [{ nice: -20 }, { nice: -20 }],
    [{ nice: 0 }, { nice: 0 }],
    [{ env: { A_1: 'x y', _: '' } }, { env: { A_1: 'x y', _: '' } }],
    [{ cwd: '/' }, { cwd: '/' }],
    // With a container the memory is the container's.
    [{ memory_limit: '512Mi', nice: 1, container: {} }, { nice: 1 }],
  ])('makes of %j %j', (meta, expected) => {
    expect(limits(meta)).toEqual(expected);
  });

  it('gives a job a variable of any name', () => {
    const { env } = limits({ env: Object.fromEntries([['__proto__', 'x']]) });
    expect(Object.entries(env ?? {})).toEqual([['__proto__', 'x']]);
  });

  it.each<[string, unknown]>([
    ...[0, -1, 10_000_001, '5', null, true].map((value): [string, unknown] => ['timeout', value]),
    ...[true, null, [], {}].map((value): [string, unknown] => ['memory_limit', value]),
    ...[20, -21, 1.5, '5', null].map((value): [string, unknown] => ['nice', value]),
    ...[[], 'A=b', { A: 1 }, { 'A=B': 'x' }, { '': 'x' }, { '1A': 'x' }, { A: 'x\0' }].map(
      (value): [string, unknown] => ['env', value],
    ),
    ...['a\0b', 5, null].map((value): [string, unknown] => ['cwd', value]),
  ])('refuses %s %j', (name, value) => {
    const { success, error } = schema.safeParse({ [name]: value });
    expect(success).toBe(false);
    expect(error?.issues[0]?.path[0]).toBe(name);
  });

  it.each(['', 'much', '-1', '512mi', '5 Mi', '1e3', 'Mi', '0x400', '5Mi', 5, 0, -5])(
    'takes %j for no amount of memory, and says what is',
    (memory_limit) => {
      expect(() => limits({ memory_limit })).toThrow(BadRequestError);
      expect(() => limits({ memory_limit })).toThrow('meta.memory_limit');
    },
  );

  it.each(['much', '-1', '1e3', '2 m', 'm', -1])(
    'takes %j for no number of processors',
    (cpu_limit) => {
      expect(() => limits({ cpu_limit })).toThrow(BadRequestError);
      expect(() => limits({ cpu_limit })).toThrow('meta.cpu_limit');
    },
  );

  it('wants a folder that is there, by its absolute path', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    for (const cwd of ['', '.', 'tests', file, `${file}/x`, '/no/such', `/${'x'.repeat(300)}`]) {
      expect(() => limits({ cwd })).toThrow(BadRequestError);
    }
  });
});

describe('within', () => {
  const maxima = { memoryBytes: 1000, cpus: 2, maxProcesses: 10 };

  it('gives a job that asks for nothing what the server allows', () => {
    expect(within({ nice: 1 }, maxima)).toEqual({ nice: 1, ...maxima });
  });

  it('gives no job more than the server allows, and less when it asks for less', () => {
    expect(within({ memoryBytes: 2000, cpus: 0.5 }, maxima)).toEqual({ ...maxima, cpus: 0.5 });
    expect(within({ memoryBytes: 2000 }, {})).toEqual({ memoryBytes: 2000 });
  });
});
