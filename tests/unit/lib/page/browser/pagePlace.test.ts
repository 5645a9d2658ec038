import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addressOf,
  NO_FILTER,
  type Place,
  placeAt,
  TABS,
} from '../../../../../lib/page/browser/pagePlace.ts';

const at = (address: string) => placeAt(new URL(address, 'http://localhost:5010'));

describe('the address of a place', () => {
  it.each([
    ['/ui', { view: 'jobs' }],
    ['/', { view: 'jobs' }],
    ['/ui/jobs/7f3a9c#L140-L120', { view: 'job', id: '7f3a9c', line: { from: 120, to: 140 } }],
    ['/ui/jobs/7f3a9c?tab=parts', { view: 'job', tab: 'parts' }],
    ['/ui/jobs/7f3a9c?tab=nix#Lx', { view: 'job', tab: 'log', line: undefined }],
    ['/ui/jobs/%', { view: 'job', id: '%' }],
    ['/ui/server', { view: 'server' }],
    ['/ui/what/is/this', { view: 'jobs' }],
    [
      '/ui?state=failed,lost&q=a+b',
      { filter: { states: ['failed', 'lost'], q: 'a b', sort: 'newest' } },
    ],
  ])('%s is a place', (address, place) => {
    expect(at(address)).toMatchObject(place);
  });

  it('is read as the place that it was made of', () => {
    const filter = fc.record({
      states: fc.subarray(['failed', 'running', 'ok']),
      q: fc.string(),
      sort: fc.constantFrom('newest' as const, 'oldest' as const),
    });
    const places: fc.Arbitrary<Place> = fc.oneof(
      fc.record({
        view: fc.constantFrom('jobs' as const, 'server', 'new'),
        tab: fc.constant('log' as const),
        filter,
      }),
      fc.record({
        view: fc.constant('job' as const),
        // The browser takes these two pieces for folders.
        id: fc.string({ minLength: 1 }).filter((id) => !/^\.\.?$/.test(id)),
        tab: fc.constantFrom(...TABS),
        line: fc.option(
          fc.tuple(fc.nat(), fc.nat()).map(([from, more]) => ({ from, to: from + more })),
          {
            nil: undefined,
          },
        ),
        filter,
      }),
    );
    fc.assert(fc.property(places, (place) => expect(at(addressOf(place))).toEqual(place)));
  });

  it('says nothing of what is as ever', () => {
    expect(addressOf({ view: 'jobs', tab: 'log', filter: NO_FILTER })).toBe('/ui');
  });

  it.each([
    ['Failed', ['failed']],
    ['failed,FAILED, ok', ['failed', 'ok']],
    ['succeeded,starting', ['ok', 'waiting']],
    ['bogus', ['bogus']],
  ])('names states as the list, the API or a person writes them: %s', (text, states) => {
    const { filter } = placeAt(new URL(`http://h/ui?state=${encodeURIComponent(text)}`));
    expect(filter.states).toEqual(states);
  });
});
