import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../../../../lib/access/caller.ts';
import { endWithToken } from '../../../../lib/server/revocation.ts';

describe('the stream of an answer', () => {
  it('ends with the token, also before anybody reads it', async () => {
    const revoked = new AbortController();
    revoked.abort();
    const body = new PassThrough();
    const closed = new Promise((resolve) => body.once('close', resolve));
    endWithToken({ status: 200, headers: [], body }, { ...ANYBODY, revoked: revoked.signal });
    // An error that nobody hears would end pman.
    await closed;
    expect(body.errored).toMatchObject({ message: 'the token is no longer good' });
  });

  it('is told nothing once it has been sent', async () => {
    const revoked = new AbortController();
    const body = new PassThrough();
    const closed = new Promise((resolve) => body.once('close', resolve));
    endWithToken({ status: 200, headers: [], body }, { ...ANYBODY, revoked: revoked.signal });
    body.end();
    body.resume();
    await closed;
    revoked.abort();
    expect(body.errored).toBeNull();
  });
});
