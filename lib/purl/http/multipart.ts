import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';

/** A form with one file, made as it is sent. */
export interface Form {
  readonly contentType: string;
  /** Bytes around the content: what the form adds to it. */
  readonly overhead: number;
  /** Writes the form and ends the request. */
  send(request: Writable): Promise<void>;
}

export interface FormParts {
  readonly before: readonly (readonly [string, string])[];
  readonly filename: string;
  /** Writes the content of the file; the stream stays open. */
  readonly content?: (out: Writable) => Promise<void>;
  /** A field behind the content, asked for when the content has been sent. */
  readonly after?: () => readonly [string, string];
}

/** A multipart form with text fields, then the file `local`, then perhaps one more field. */
export function makeForm({ before, filename, content, after }: FormParts): Form {
  const boundary = `------------------------${randomBytes(8).toString('hex')}`;
  const field = ([name, value]: readonly [string, string]) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const quoted = filename.replaceAll(/["\r\n\\]/g, '_');
  const fileHead = `--${boundary}\r\nContent-Disposition: form-data; name="local"; filename="${quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const head = before.map(field).join('') + (content === undefined ? '' : fileHead);
  const end = `--${boundary}--\r\n`;
  const contentEnd = content === undefined ? '' : '\r\n';
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    overhead: Buffer.byteLength(head + contentEnd + end),
    send: async (request) => {
      request.write(head);
      await content?.(request);
      request.end(contentEnd + (after === undefined ? '' : field(after())) + end);
    },
  };
}
