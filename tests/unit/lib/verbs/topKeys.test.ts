import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../../lib/client/index.ts';
import { isControl, pressed } from '../../../../lib/verbs/topKeys.ts';
import { FIRST_CHOICE, type TopChoice } from '../../../../lib/verbs/topScreen.ts';

const jobs = ['a', 'b', 'c'].map((id) => ({ id }) as Job);
const choose = (keys: readonly string[], from: Partial<TopChoice> = {}) =>
  keys.reduce<TopChoice>((choice, key) => pressed(choice, key, jobs).choice, {
    ...{ ...FIRST_CHOICE, selected: 'a' },
    ...from,
  });
const order = (key: string, from: Partial<TopChoice> = {}) =>
  pressed({ ...FIRST_CHOICE, selected: 'b', ...from }, key, jobs).order;

describe('a key in top', () => {
  it.each([
    [['j'], 'b'],
    [['\u001b[B', '\u001bOB', 'j', 'j'], 'c'],
    [['j', 'k'], 'a'],
    [['\u001b[A'], 'a'],
    [['j', '\u001bOA'], 'a'],
  ])('%j chooses a job and stays among them', (keys, selected) => {
    expect(choose(keys).selected).toBe(selected);
  });

  it('sorts, filters, and shows what failed, or the keys', () => {
    expect(choose(['s']).sort).toBe('cpu');
    expect(choose(['s', 's', 's', 's', 's']).sort).toBe('usual');
    expect(choose(['f']).onlyFailed).toBe(true);
    expect(choose(['f', 'f']).onlyFailed).toBe(false);
    expect(choose(['?']).hasHelp).toBe(true);
    expect(choose(['?', '\u001b']).hasHelp).toBe(false);
  });

  it('is part of the filter while that is typed', () => {
    const typed = ['/', 'q', 'é', '😀', '\u007f', '\u001b[A'];
    expect(choose(typed)).toMatchObject({ filter: 'qé', isFiltering: true, selected: 'a' });
    expect(choose([...typed, '\r'])).toMatchObject({ filter: 'qé', isFiltering: false });
    expect(choose([...typed, '\u001b'])).toMatchObject({ filter: '', isFiltering: false });
    expect(order('K', { isFiltering: true })).toBeUndefined();
  });

  it.each([
    ['\r', 'show'],
    ['l', 'logs'],
    ['K', 'kill'],
    ['R', 'rerun'],
  ])('%j asks for something about the job that is chosen', (key, kind) => {
    expect(order(key)).toEqual({ kind, job: jobs[1] });
    expect(order(key, { selected: undefined })).toBeUndefined();
    expect(order(key, { selected: 'gone' })).toBeUndefined();
  });

  it('ends it, or hands the terminal back, also while something is typed', () => {
    expect(order('q')).toEqual({ kind: 'quit' });
    expect(order('q', { isFiltering: true })).toBeUndefined();
    for (const isFiltering of [true, false]) {
      expect(order('\u0003', { isFiltering })).toEqual({ kind: 'quit' });
      expect(order('\u001c', { isFiltering, hasHelp: true })).toEqual({ kind: 'quit' });
      expect(order('\u001a', { isFiltering })).toEqual({ kind: 'suspend' });
    }
    expect(['\u0003', '\u001a', 'q', 'y'].map(isControl)).toEqual([true, true, false, false]);
  });
});
