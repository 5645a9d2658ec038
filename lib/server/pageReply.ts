import { isKnownTag } from '../dialects/v2/index.ts';
import type { GatewayReply, RequestHead } from '../gateway/types.ts';
import { FIRST_LIST, THEME_COOKIE, THEMES } from '../page/firstRequest.ts';
import { type PageFile, PageFiles } from '../page/pageFiles.ts';
import { acceptedIn } from '../wire/accepted.ts';
import { originForm } from './echo.ts';
import { hasBody } from './healthCheck.ts';
import { headerOf } from './negotiation.ts';

/**
 * What the page may do in a browser: its own files and its own server, and no script or style that stands in a document
 * (CSP 3). So a text that a job has written can never become a script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  // It makes one address, that of the script which holds the stream of events.
  'trusted-types stream',
].join('; ');

const HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', POLICY],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
] as const;

const VARY = 'Accept, Accept-Encoding';

const files = new PageFiles();

/**
 * The path of the page that a request is for; undefined for any other request. At `/` only a browser that opens an address
 * gets the page: the original answers there, and so do we to all its clients. The files hold nothing, so that everybody may
 * have them, with or without a token.
 */
export function pagePathIn({ method, target, authorization, rawHeaders }: RequestHead) {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const [path = ''] = originForm(target).split('?');
  if (/^\/ui(\/|$)/.test(path)) return path;
  if (path !== '/' || authorization !== undefined || hasBody(rawHeaders)) return undefined;
  const accept = headerOf({ rawHeaders }, 'accept') ?? '';
  return /\btext\/html\b/i.test(accept) ? path : undefined;
}

/** Whether a browser asks for a document of its own window, and not for a frame or a script of a page (Fetch Metadata). */
export function isVisit(head: RequestHead): boolean {
  return (
    headerOf(head, 'sec-fetch-mode') === 'navigate' &&
    headerOf(head, 'sec-fetch-dest') === 'document'
  );
}

/** A browser begins to ask for the jobs while it loads the script that needs them (Preload, W3C). */
const EARLY = ['Link', `<${FIRST_LIST}>; rel=preload; as=fetch; crossorigin`] as const;

/**
 * Answers a request for the page.
 * @param isOpen whether everybody may ask for the jobs
 */
export function pageReply(path: string, request: RequestHead, isOpen: boolean): GatewayReply {
  const file = files.at(path, themeIn(request));
  if (file === undefined) {
    const headers = [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ...HEADERS,
      ['Vary', VARY],
    ] as const;
    const body = Buffer.from('The page has no such file: reload it.\n');
    return { status: 404, headers: [...headers, ['Cache-Control', 'no-store']], body };
  }
  const isList = /^\/(ui\/?)?$/.test(originForm(request.target));
  const headers = [
    ...HEADERS,
    ['Vary', file.isHashed ? VARY : `${VARY}, Cookie`],
    ...(isOpen && isList ? [EARLY] : []),
    ['ETag', `W/${file.tag}`],
    ['Cache-Control', file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'],
  ] as const;
  if (isKnownTag(headerOf(request, 'if-none-match'), file.tag)) {
    return { status: 304, headers, body: Buffer.alloc(0) };
  }
  const { encoding, bytes } = bestFor(file, request);
  const coded = encoding === undefined ? [] : [['Content-Encoding', encoding] as const];
  return { status: 200, headers: [['Content-Type', file.type], ...coded, ...headers], body: bytes };
}

const THEME = new RegExp(`(?:^|;\\s*)${THEME_COOKIE}=(${THEMES.join('|')})\\s*(?:;|$)`);

/** The colours that were chosen in this browser. */
function themeIn(request: RequestHead): string | undefined {
  return THEME.exec(headerOf(request, 'cookie') ?? '')?.[1];
}

function bestFor({ bytes, encoded }: PageFile, request: RequestHead) {
  const accepted = acceptedIn(headerOf(request, 'accept-encoding'));
  for (const [encoding, coded] of encoded) {
    if (accepted.has(encoding)) return { encoding, bytes: coded };
  }
  return { encoding: undefined, bytes };
}
