import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../../../lib/client/bytesOf.ts';

/** A connection on which one piece comes and then nothing, as after the other machine has lost its power. */
function silent() {
  const breaker = new AbortController();
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array([1, 2]));
      breaker.signal.addEventListener('abort', () => controller.error(new Error('aborted')));
    },
  });
  return { response: new Response(stream), close: () => breaker.abort(), breaker };
}

describe('bytesOf', () => {
  it('ends when nothing comes for too long, and breaks the connection off', async () => {
    const answer = silent();
    const found = [];
    for await (const bytes of bytesOf(answer, { silenceMs: 20 })) found.push(...bytes);
    expect(found).toEqual([1, 2]);
    expect(answer.breaker.signal.aborted).toBe(true);
  });

  it('breaks the connection off when nobody wants more', async () => {
    const answer = silent();
    for await (const bytes of bytesOf(answer, { silenceMs: 60_000 })) {
      expect(bytes).toHaveLength(2);
      break;
    }
    expect(answer.breaker.signal.aborted).toBe(true);
  });
});
