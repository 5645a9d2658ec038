import type { GatewayReply, RequestHead } from '../gateway/types.ts';
import { type PageHeaders, type PagePolicy, pageHeaders } from '../wire/foreignPage.ts';
import { SAFETY_HEADERS } from '../wire/reply.ts';

export interface HeaderOptions {
  /** `--http`: the original's content type (protocol a.2). */
  readonly httpMode: boolean;
  /** What pages may ask, and read the answers. */
  readonly pages: PagePolicy;
}

/** What a request says of the page that sends it. */
export function pageOf({ rawHeaders }: RequestHead): PageHeaders {
  const page: { host?: string; origin?: string; 'sec-fetch-site'?: string } = {};
  for (const [name, value] of rawHeaders) {
    // Most names need no look at their letters.
    const known = PAGE_HEADERS[name.length];
    if (known !== undefined && name.toLowerCase() === known) page[known] = value;
  }
  return page;
}

/** By their lengths. */
const PAGE_HEADERS: Readonly<Record<number, 'host' | 'origin' | 'sec-fetch-site'>> = {
  4: 'host',
  6: 'origin',
  14: 'sec-fetch-site',
};

/** The header lines of an answer in JSON, whatever it says. */
export function jsonHeaders(request: RequestHead, options: HeaderOptions): GatewayReply['headers'] {
  return [
    ['Content-Type', contentType(request, options.httpMode)],
    ...everyAnswer(request, options.pages),
  ];
}

/** The header lines that every answer has. */
export function everyAnswer(request: RequestHead, pages: PagePolicy): GatewayReply['headers'] {
  // Without a list it does not matter who asks.
  const asked = typeof pages.allowOrigins === 'object' && pages.allowOrigins.length > 0;
  return [...pageHeaders(asked ? pageOf(request) : {}, pages), ...SAFETY_HEADERS];
}

/**
 * `application/html` is the original's (protocol a.2). A browser, which asks for text/html by name, would offer that
 * for download: it gets JSON's own type.
 */
function contentType({ rawHeaders }: RequestHead, httpMode: boolean): string {
  if (!httpMode) return 'application/json';
  const accept =
    rawHeaders.find(([name]) => name.length === 6 && name.toLowerCase() === 'accept')?.[1] ?? '';
  return accept.includes('text/html') ? 'application/json' : 'application/html';
}
