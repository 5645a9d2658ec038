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
});
