import { describe, expect, it } from '@jest/globals';
import type { GatewayRequest } from '../../../../lib/gateway/types.ts';
import { readApiBody } from '../../../../lib/server/apiBody.ts';

const read = async (body: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
  readApiBody({
    ...{ rawHeaders: Object.entries(headers), body: Buffer.from(body) },
  } as unknown as GatewayRequest);

describe('the body of a request of /api/v2', () => {
  it.each(['gzip', 'zstd', 'gzip, identity', 'GZIP'])('is not taken as %s', async (coding) => {
    await expect(read('{"a":1}', { 'content-encoding': coding })).rejects.toMatchObject({
      ...{ code: 'unsupported_media_type', message: expect.stringContaining('Content-Encoding') },
    });
  });

  it.each(['identity', 'Identity', ''])('is taken as it is: %j', async (coding) => {
    const { json } = await read('{"a":1}', { 'Content-Encoding': coding });
    expect(json).toEqual({ a: 1 });
  });

  it.each(['job', 'stdin'])('has no two parts %s', async (name) => {
    const form = new FormData();
    for (const part of ['job', 'stdin', name]) form.append(part, '{}');
    const sent = new Response(form);
    const type = sent.headers.get('content-type') ?? '';
    const body = Buffer.from(await sent.arrayBuffer());
    await expect(read(body, { 'Content-Type': type })).rejects.toThrow('it takes one part "job"');
  });

  const part = (name: string, content: Buffer | string, more = '') =>
    Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`),
      Buffer.concat([Buffer.from(content), Buffer.from('\r\n')]),
    ]);
  const readParts = (...parts: readonly Buffer[]) =>
    read(Buffer.concat([...parts, Buffer.from('--b--\r\n')]), {
      'Content-Type': 'multipart/form-data; boundary=b',
    });

  it('has the bytes of an input that is sent as a field, whatever they are', async () => {
    const bytes = Buffer.from([0xff, 0, 0x0d, 0x0a, 0xc3, 0x28]);
    const { input, json } = await readParts(part('job', '{"a":1}'), part('stdin', bytes));
    expect([input, json]).toEqual([bytes, { a: 1 }]);
  });

  it.each([
    ['in quoted-printable', '\r\nContent-Transfer-Encoding: quoted-printable', 'as it is'],
    ['in base64', '; filename="x"\r\nContent-Transfer-Encoding: base64', 'as it is'],
    ['of several files', '\r\nContent-Type: multipart/mixed; boundary=i', 'has parts itself'],
  ])('refuses an input %s: the code would be taken for it', async (_, more, why) => {
    const sent = readParts(part('job', '{"a":1}'), part('stdin', '=41', more));
    await expect(sent).rejects.toThrow(why);
  });
});
