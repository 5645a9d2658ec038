import { describe, expect, it } from '@jest/globals';
import { BadRequestError, type ErrorCode, PmanError } from '../../../../lib/errors.ts';
import { errorMember, statusOf } from '../../../../lib/wire/reply.ts';

describe('statusOf', () => {
  it.each<[ErrorCode, number]>([
    ['bad_request', 400],
    ['unauthorized', 401],
    ['forbidden', 403],
    ['not_found', 404],
    ['conflict', 409],
    ['payload_too_large', 413],
    ['internal', 500],
    ['not_implemented', 501],
    ['busy', 503],
    ['unavailable', 503],
    ['storage', 507],
  ])('answers %s with %i', (code, status) => {
    expect(statusOf(new PmanError(code, 'x'))).toBe(status);
  });

  it.each([[new Error('x')], ['x'], [undefined]])('answers anything else with 500', (thrown) => {
    expect(statusOf(thrown)).toBe(500);
  });
});

describe('errorMember', () => {
  it('tells code, message and hint', () => {
    expect(errorMember(new BadRequestError('no', { hint: 'do' }))).toEqual({
      code: 'bad_request',
      message: 'no',
      hint: 'do',
    });
    expect(errorMember(new PmanError('busy', 'later'))).toEqual({ code: 'busy', message: 'later' });
  });

  it('never shows the text of an error that nobody expected', () => {
    const shown = JSON.stringify(errorMember(new TypeError('token s3cret')));
    expect(shown).toContain('internal');
    expect(shown).not.toContain('s3cret');
  });
});
