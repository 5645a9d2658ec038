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
    const known = PAGE_HEADERS.get(name.toLowerCase());
    if (known !== undefined) page[known] = value;
  }
  return page;
}

const PAGE_HEADERS = new Map(
  (['host', 'origin', 'sec-fetch-site'] as const).map((name) => [name as string, name]),
);

/** The header lines of an answer in JSON, whatever it says. */
export function jsonHeaders(request: RequestHead, options: HeaderOptions): GatewayReply['headers'] {
  return [
    ['Content-Type', contentType(request, options.httpMode)],
    ...everyAnswer(request, options.pages),
  ];
}

/** The header lines that every answer has. */
export function everyAnswer(request: RequestHead, pages: PagePolicy): GatewayReply['headers'] {
  return [...pageHeaders(pageOf(request), pages), ...SAFETY_HEADERS];
}

/**
 * `application/html` is the original's (protocol a.2). A browser, which asks for text/html by name, would offer that
 * for download: it gets JSON's own type.
 */
function contentType({ rawHeaders }: RequestHead, httpMode: boolean): string {
  if (!httpMode) return 'application/json';
  const accept = rawHeaders.find(([name]) => name.toLowerCase() === 'accept')?.[1] ?? '';
  return accept.includes('text/html') ? 'application/json' : 'application/html';
}
