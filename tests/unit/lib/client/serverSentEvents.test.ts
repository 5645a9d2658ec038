import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { serverSentEvents } from '../../../../lib/client/serverSentEvents.ts';

async function blocks(chunks: readonly Uint8Array[]) {
  async function* bytes() {
    yield* chunks;
  }
  const found = [];
  for await (const block of serverSentEvents(bytes())) found.push(block);
  return found;
}

describe('serverSentEvents', () => {
  const stream = Buffer.from(
    'id: 4\n\nid: 5\nevent: ended\ndata: {"jid":"grün"}\n\n:\n\ndata: cut',
  );
  const whole = [
    { id: '4', type: undefined, data: undefined },
    { id: '5', type: 'ended', data: '{"jid":"grün"}' },
    { id: undefined, type: undefined, data: undefined },
  ];

  it('gives the same blocks however the bytes are cut, and none that has no end', async () => {
    const cuts = fc.array(fc.nat(stream.length), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const edges = [0, ...places.toSorted((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((end, i) => stream.subarray(edges[i], end));
        expect(await blocks(chunks)).toEqual(whole);
      }),
    );
  });
});
