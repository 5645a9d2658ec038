const text = (description: string) => ({ description, schema: { type: 'string' } });

const ETAG = { ETag: text('For `If-None-Match`.') };
const CONTENT_RANGE = { 'Content-Range': text('Which bytes of how many (RFC 9110, 14.4).') };
const RETRY_AFTER = {
  'Retry-After': text('After how many seconds to come again, where it says so.'),
};

/** The headers of answers that clients have to look at, in the words of OpenAPI; undefined when there are none. */
export function answerHeaders(status: number, isTagged: boolean) {
  if (status === 200) return isTagged ? ETAG : undefined;
  return HEADERS[status];
}

const HEADERS: Readonly<Record<number, Readonly<Record<string, ReturnType<typeof text>>>>> = {
  201: { Location: text('The path of the job.') },
  206: CONTENT_RANGE,
  304: ETAG,
  401: { 'WWW-Authenticate': text('`Bearer`.') },
  416: CONTENT_RANGE,
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};
