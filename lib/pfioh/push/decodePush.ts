import type { Readable } from 'node:stream';
import { BadRequestError } from '../../errors.ts';
import { base64Decoder } from '../../transfer/base64.ts';

/** The content of a push without its encoding. @throws BadRequestError for an encoding that is not known */
export function decodePush(content: Readable, encoding: string): Readable {
  if (encoding === 'base64') return decode(content);
  if (encoding === 'none' || encoding === '') return content;
  content.resume();
  throw new BadRequestError(`unknown encoding ${JSON.stringify(encoding)}: base64 or none`);
}

function decode(content: Readable): Readable {
  const decoder = base64Decoder();
  // Whoever reads it is told. The form may break off before anybody does.
  decoder.on('error', () => {});
  content.once('error', (error) => decoder.destroy(error));
  content.once('close', () => {
    if (!content.readableEnded) decoder.destroy(new BadRequestError('the form broke off'));
  });
  return content.pipe(decoder);
}
