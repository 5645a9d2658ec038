import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FieldError, pairLines, pairsIn } from '../../../../../lib/page/browser/fieldText.ts';

/** A text area has line feeds alone. */
const inTextArea = (text: string) => text.replace(/\r\n?/g, '\n');

describe('pairs in a text area', () => {
  it('come back as they were, whatever they are', () => {
    const odd = fc.string({ unit: fc.constantFrom(...' =\n\r\t"\\a\u2028\u0000é') });
    const part = fc.oneof(odd, fc.string({ unit: 'grapheme' }), fc.string());
    fc.assert(
      fc.property(fc.dictionary(part, part), (pairs) => {
        const text = inTextArea(pairLines(pairs));
        expect(Object.entries(pairsIn('labels', text))).toEqual(Object.entries(pairs));
      }),
    );
  });

  it('keep those that were not touched when a line is added', () => {
    const pairs = { a: ' x ', k: 'line1\nline2', plain: 'as it is', empty: '' };
    const text = pairLines(pairs);
    expect(text).toBe('a=" x "\nk="line1\\nline2"\nplain=as it is\nempty=');
    expect(pairsIn('labels', `${text}\nnew=1`)).toEqual({ ...pairs, new: '1' });
  });

  it('have all that is behind the = as a value, blanks too', () => {
    expect(pairsIn('env', '\n  A= lead and trail \n\nB=x=y\nC="quo\\"ted"\n')).toEqual({
      ...{ A: ' lead and trail ', B: 'x=y', C: 'quo"ted' },
    });
  });

  it.each([
    ['noequals', 'noequals is not of the form name=value'],
    ['=x', '=x is not of the form name=value'],
    ['a=1\na=2', 'a is there twice'],
    ['a=1\n"a"=2', 'a is there twice'],
    ['a="x" y', '"x" y begins with a quote, and is no text of JSON such as "a\\nb"'],
    [`${'n'.repeat(100)}`, `${'n'.repeat(60)}… is not of the form name=value`],
  ])('are refused, with the field, where they cannot be meant: %j', (text, message) => {
    expect(() => pairsIn('env', text)).toThrow(new FieldError('env', message));
    expect(() => pairsIn('env', text)).toThrow(expect.objectContaining({ field: 'env' }));
  });
});
