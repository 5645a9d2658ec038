import { describe, expect, it } from '@jest/globals';
import type { JobEvent } from '../../../../../lib/client/index.ts';
import { EventTail } from '../../../../../lib/page/browser/eventTail.ts';

describe('the last events', () => {
  const events = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => ({ seq: from + i }) as JobEvent);
  const numbers = (tail: EventTail) => tail.events.map(({ seq }) => seq);

  it('are each there once, the newest first, whichever way came first', () => {
    const tail = new EventTail();
    // One is heard while those before it are on their way, and comes with them once more.
    tail.add(events(9, 9));
    tail.add(events(6, 9));
    expect(numbers(tail)).toEqual([9, 8, 7, 6]);
  });

  it('are fifty, and no more are asked for, or those that the server has', () => {
    const tail = new EventTail();
    expect(tail.after({ oldest: 1, newest: 1000 })).toBe(950);
    expect(tail.after({ oldest: 990, newest: 1000 })).toBe(989);
    expect(tail.after({ oldest: 1, newest: 0 })).toBe(0);
    tail.add(events(1, 70));
    expect([numbers(tail)[0], numbers(tail).at(-1)]).toEqual([70, 21]);
  });
});
