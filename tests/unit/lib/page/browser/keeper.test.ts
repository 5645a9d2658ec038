import { describe, expect, it } from '@jest/globals';
import { keeperOf } from '../../../../../lib/page/browser/keeper.ts';

describe('what the page keeps', () => {
  it('is kept in the document where a browser blocks its storage', () => {
    const kept = keeperOf(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    expect(kept.getItem('a')).toBeNull();
    kept.setItem('a', '1');
    expect(kept.getItem('a')).toBe('1');
    kept.removeItem('a');
    expect(kept.getItem('a')).toBeNull();
  });
});
