import { describe, expect, it } from '@jest/globals';
import { NO_FILTER } from '../../../../../lib/page/browser/pagePlace.ts';
import { inWords, queryOf, statesOf } from '../../../../../lib/page/browser/searchWords.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const asked = (q: string) => queryOf({ ...NO_FILTER, q }, NOW);

describe('what is typed into the search field', () => {
  it.each([
    ['', {}],
    ['make check', { find: 'make check' }],
    ['name:train* user:ana', { name: 'train*', auid: 'ana' }],
    ['label:a=b label:c="d e" x', { label: ['a=b', 'c=d e'], find: 'x' }],
    ['on:ssh', { backend: ['ssh'] }],
    ['on:moon', { find: 'on:moon' }],
    ['since:2h', { since: new Date('2026-11-29T10:00:00Z') }],
    ['since:ever', { find: 'since:ever' }],
    ['label:none', { find: 'label:none' }],
    ['"name:x', { name: 'x' }],
    ['name:', { find: 'name:' }],
  ])('%j asks for %j', (q, query) => {
    expect(asked(q)).toEqual(query);
  });

  it('asks for the states of the filters that are on, and for all when none is', () => {
    expect(statesOf({ ...NO_FILTER, states: ['waiting', 'nix'] })).toEqual(['waiting', 'starting']);
    expect(statesOf({ ...NO_FILTER, states: ['nix'] })).toBeUndefined();
  });

  it('is told in words', () => {
    expect(inWords({ ...NO_FILTER, states: ['failed', 'lost'], q: ' x ' })).toBe(
      'failed or lost jobs with “x”',
    );
  });
});
