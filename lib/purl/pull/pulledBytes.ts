import type { IncomingMessage } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { systemErrorCode } from '../../errors.ts';
import { base64Decoder } from '../../transfer/base64.ts';
import { contentOf } from '../http/bulkSocket.ts';
import type { Peer } from '../peer.ts';

/** The body of the answer to a pull. */
export function pulledBytes(answer: IncomingMessage, { kind }: Peer): Readable {
  return kind === 'own'
    ? contentOf(answer)
    : Readable.from(patiently(answer), { objectMode: false });
}

/** The answer of a Python pfioh, which states a length that counts more than the content. */
async function* patiently(answer: IncomingMessage): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ECONNRESET' || bytes === 0) throw error;
  }
}

/** What was encoded as base64, decoded; it fails when what it is read from does. */
export function decodePull(encoded: Readable): Readable {
  const decoder = base64Decoder();
  pipeline(encoded, decoder, () => {});
  return decoder;
}
