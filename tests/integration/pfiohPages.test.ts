import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Opened } from '../helpers/transfer.ts';

const opened = new Opened();
afterEach(() => opened.close());

interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** As fetch, which sets some of these headers itself. */
function send(
  address: string,
  { method = 'POST', headers = {}, body = '' }: Partial<Sent> = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}/`, { method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('end', () => {
        resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HELLO = JSON.stringify({ action: 'hello', meta: { askAbout: 'timestamp' } });
const PAGE = 'http://page.example:3000';

describe('pfioh', () => {
  it('refuses what pages of other origins and rebound names ask for', async () => {
    const store = opened.folder();
    mkdirSync(join(store, 'key-v'));
    const { address } = await opened.pfioh(['--storeBase', store]);
    const body = JSON.stringify({ action: 'rmtree', meta: { key: 'v' } });
    for (const headers of [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Host: 'evil.example:5055' },
    ]) {
      const answer = await send(address, { headers, body });
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
        403,
        { status: false, error: { code: 'forbidden' } },
      ]);
      expect(answer.text).not.toContain('evil');
      expect(Object.keys(answer.headers).join()).not.toContain('access-control');
    }
    const preflight = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
    expect((await send(address, { method: 'OPTIONS', headers: preflight })).status).toBe(403);
    expect(existsSync(join(store, 'key-v'))).toBe(true);
    expect((await send(address, { body })).status).toBe(200);
  });

  it('lets in origins and names that are listed, and tells browsers so', async () => {
    const flags = ['--allowOrigin', PAGE, '--allowHost', 'pfioh.example'];
    const { address } = await opened.pfioh(['--storeBase', opened.folder(), ...flags]);
    const headers = { Origin: PAGE, Host: 'pfioh.example' };
    for (const body of [HELLO, '{']) {
      const { headers: got } = await send(address, { headers, body });
      expect(got).toMatchObject({
        'access-control-allow-origin': PAGE,
        ...{ vary: 'Origin', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' },
      });
    }
    const asked = { ...headers, 'Access-Control-Request-Method': 'POST' };
    const preflight = await send(address, { method: 'OPTIONS', headers: asked });
    expect([preflight.status, preflight.headers['access-control-allow-headers']]).toEqual([
      204,
      expect.stringContaining('Content-Type'),
    ]);
  });

  it.each([
    ['a message of more than a million characters', JSON.stringify({ a: 'x'.repeat(1_100_000) })],
    ['a message of more than 100,000 values', `[${'0,'.repeat(100_000)}0]`],
  ])('refuses %s', async (_what, body) => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const answer = await send(address, { body });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      413,
      { error: { code: 'payload_too_large' } },
    ]);
  });

  it('refuses a form of more fields than 32', async () => {
    const { address } = await opened.pfioh(['--storeBase', opened.folder()]);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await send(address, { headers, body: `d_msg={}${'&a=b'.repeat(100)}` });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('too many fields')]);
  });
});
