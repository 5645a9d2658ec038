import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { BadRequestError } from '../../../../lib/errors.ts';
import { refusal } from '../../../../lib/pfioh/answer.ts';
import { Places } from '../../../../lib/pfioh/places.ts';

const everywhere = new Places(undefined);

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('refusal', () => {
  it.each([
    ['that is not there', '/no/such/folder', 404, 'ENOENT'],
    ['of a longer name than a disk takes', `/${'x'.repeat(300)}`, 400, 'ENAMETOOLONG'],
    ['below a file', '/etc/passwd/x', 404, 'ENOTDIR'],
  ])('tells what the file system refused: a path %s', (_what, path, status, code) => {
    const { said, status: got } = refusal(
      thrownBy(() => readdirSync(path)),
      everywhere,
    );
    expect([got, said.status, said.msg]).toEqual([status, false, expect.stringContaining(code)]);
    expect(String(said.msg)).toMatch(/^cannot scandir \//);
  });

  it('does not show the text of an error that nobody has thought of', () => {
    const { said, status } = refusal(new TypeError('secret is undefined'), everywhere);
    expect(status).toBe(500);
    expect(JSON.stringify(said)).not.toContain('secret');
    expect(said).toMatchObject({ status: false, error: { code: 'internal' } });
  });

  it('tells our own errors as they are', () => {
    const { said, status } = refusal(new BadRequestError('no', { hint: 'yes' }), everywhere);
    expect([status, said.error]).toEqual([
      400,
      { code: 'bad_request', message: 'no', hint: 'yes' },
    ]);
  });

  it.each([
    ['no /srv/a/b', 'no b'],
    ['no /srv/a: x', 'no .: x'],
    ['no /srv/ab/c', 'no /srv/ab/c'],
  ])('does not tell where the store lies: %j is %j', (message, told) => {
    const { said } = refusal(new BadRequestError(message), new Places('/srv/a'));
    expect(said.msg).toBe(told);
  });
});
