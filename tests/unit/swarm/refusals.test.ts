import { describe, expect, it } from '@jest/globals';
import { refuseImpossible } from '../../../swarm/refusals.ts';
import { request } from './request.ts';

const form = { pattern: /^[a-z]+$/, words: 'small letters' };
const MEBI = 1024 * 1024;

describe('refuseImpossible', () => {
  it.each(['work', 'w'])('takes the name %j', (name) => {
    expect(() => refuseImpossible(request({ name }), form)).not.toThrow();
  });

  it.each(['', 'a/b', '-a', '../x', 'a'.repeat(64), 'a b'])('refuses %j as a name', (name) => {
    expect(() => refuseImpossible(request({ name }), form)).toThrow(
      expect.objectContaining({ code: 'bad_request', hint: expect.stringContaining('1 to 63') }),
    );
  });

  it('says what the engine at hand takes', () => {
    expect(() => refuseImpossible(request({ name: 'a.b' }), form)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('small letters') }),
    );
  });

  it.each([
    [5 * MEBI, '5Mi'],
    [6 * MEBI - 1024, '6143Ki'],
    [1001, '1001'],
  ])('refuses %i bytes of memory as %s', (memoryBytes, said) => {
    const options = { limits: { memoryBytes } };
    expect(() => refuseImpossible(request({ options }), form)).toThrow(
      `run: "meta.memory_limit": ${said} is less than 6Mi`,
    );
  });

  it('takes 6 MiB of memory', () => {
    const options = { limits: { memoryBytes: 6 * MEBI } };
    expect(() => refuseImpossible(request({ options }), form)).not.toThrow();
  });
});
