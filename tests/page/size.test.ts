import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the files of the page', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: ['--http'] });
  });
  afterAll(() => endServer(server));

  const get = (path: string, headers: Record<string, string> = {}) =>
    server.request('GET', path, { headers });
  const filesIn = (html: string) =>
    [...html.matchAll(/(?:href|src)="(\/ui\/[^"]+)"/g)].map(([, path]) => path ?? '');

  it('weigh 40 KiB at most for the first screen, all together', async () => {
    const names = readdirSync(join(checkout, 'dist/page'));
    const html = readFileSync(join(checkout, 'dist/page/index.html'), 'utf8');
    const wanted = ['index.html', ...filesIn(html).map((path) => path.replace('/ui/', ''))];
    expect(wanted.join()).toMatch(/index.html,icon.svg,styles-\w+.css.*,page-\w+.js/);
    let bytes = 0;
    for (const name of wanted) {
      expect(names).toContain(`${name}.gz`);
      bytes += readFileSync(join(checkout, `dist/page/${name}.gz`)).length;
    }
    expect(bytes).toBeLessThan(40 * 1024);
  });

  it('go to browsers at /, and the list of jobs to all others', async () => {
    expect((await get('/', BROWSER)).header('content-type')).toBe('text/html; charset=utf-8');
    for (const headers of [{}, { Accept: '*/*' }, { Accept: 'application/json' }]) {
      const answer = await get('/', headers);
      expect([answer.header('content-type'), answer.json()]).toEqual([
        'application/html',
        expect.objectContaining({ status: true, RESTverb: 'GET', path: '' }),
      ]);
    }
    const post = await server.request('POST', '/', {
      headers: BROWSER,
      body: { payload: { action: 'hello', meta: { askAbout: 'timestamp' } } },
    });
    expect(post.json()).toMatchObject({ status: true });
  });

  it('are compressed for who takes that, and not sent again to who has them', async () => {
    const plain = await get('/ui');
    expect(plain.header('content-encoding')).toBeUndefined();
    const zipped = await get('/ui', { 'Accept-Encoding': 'gzip' });
    expect(zipped.header('content-encoding')).toBe('gzip');
    expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    expect((await get('/ui', { 'Accept-Encoding': 'gzip, br' })).header('content-encoding')).toBe(
      'br',
    );
    const tag = plain.header('etag') ?? '';
    const known = await get('/ui/jobs/7f3a9c12', { 'If-None-Match': tag });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    const head = await server.request('HEAD', '/ui');
    expect([head.status, head.header('content-length')]).toEqual([200, String(plain.bytes.length)]);
  });

  it('come in the colours that a cookie names, and in no others', async () => {
    const plain = await get('/ui');
    const dark = await get('/ui', { Cookie: 'a=b; pman_theme=dark' });
    expect(dark.text).toBe(plain.text.replace('<html ', '<html data-theme="dark" '));
    expect(dark.header('vary')).toContain('Cookie');
    expect(dark.header('etag')).not.toBe(plain.header('etag'));
    const zipped = await get('/ui', { Cookie: 'pman_theme=dark', 'Accept-Encoding': 'gzip' });
    expect(gunzipSync(zipped.bytes).toString()).toBe(dark.text);
    for (const odd of ['pman_theme="><script>', 'pman_theme=darker', 'not_pman_theme=dark']) {
      expect((await get('/ui', { Cookie: odd })).text).toBe(plain.text);
    }
  });

  it('may be kept for ever where their names say what is in them', async () => {
    const html = (await get('/ui')).text;
    for (const path of filesIn(html)) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      const kept = /\.svg$/.test(path) ? 'no-cache' : 'public, max-age=31536000, immutable';
      expect(answer.header('cache-control')).toBe(kept);
    }
    expect((await get('/ui')).header('cache-control')).toBe('no-cache');
  });

  it('let a browser load nothing from elsewhere, and nothing that stands in the document', async () => {
    const html = await get('/ui');
    expect(html.header('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
    );
    expect(html.header('x-content-type-options')).toBe('nosniff');
    expect(html.text).not.toMatch(/<script(?![^>]*src=)|<style|\bon\w+=|style=|https?:/);
  });

  it.each(['/ui/none.js', '/ui/..%2fpackage.json', '/ui/page-AAAAAAAA.js'])(
    'are these and no others: %s',
    async (path) => {
      const answer = await get(path);
      expect(answer.text).not.toContain('"name": "pman"');
      const isView = answer.header('content-type')?.startsWith('text/html') === true;
      expect(isView ? 200 : answer.status).toBe(isView ? 200 : 404);
    },
  );
});
