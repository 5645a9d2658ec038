import { isIP } from 'node:net';
import { PmanError } from '../errors.ts';

/** The headers by which a browser says what page a request comes from, under the names that node gives them. */
export interface PageHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | readonly string[] | undefined;
}

/** What pages may ask a server, and under which names. */
export interface PagePolicy {
  /** Origins of pages that may ask and read the answers (`--allowOrigin`); `every` where only a token lets in. */
  readonly allowOrigins: readonly string[] | 'every';
  /** Names of this server that have a dot (`--allowHost`), in small letters. */
  readonly allowHosts: readonly string[];
  readonly hasTokens: boolean;
  /** The server speaks TLS: a page that came without it is none of its own. (In front of one without, a proxy may.) */
  readonly hasTls?: boolean;
}

/**
 * Refuses what a page of another site makes its visitor's browser send. A browser on this host reaches servers that
 * nobody else reaches, and sends a page's requests without asking (Cross-Site Request Forgery); a page whose name has
 * been pointed at this host may even read the answers (DNS rebinding). Programs that are no browsers send neither
 * `Origin` nor `Sec-Fetch-Site` and are not concerned. The refusal says nothing of the request.
 * @throws PmanError forbidden
 */
export function refuseForeign(headers: PageHeaders, policy: PagePolicy): void {
  if (isForeign(headers, policy) && !isAllowedOrigin(headers.origin, policy)) {
    throw new PmanError('forbidden', 'a web page of another origin may not ask this server', {
      hint: 'if it may, start the server with --allowOrigin and the origin of the page',
    });
  }
  if (!policy.hasTokens && canBeRebound(headers.host ?? '', policy.allowHosts)) {
    throw new PmanError('forbidden', 'this server is not known by the name in the Host header', {
      hint: 'ask by address, or start the server with --allowHost and that name',
    });
  }
}

/** The header lines that let a page read the answer: those of the origin that asks, if it may. */
export function pageHeaders(
  { origin }: PageHeaders,
  policy: PagePolicy,
): readonly (readonly [string, string])[] {
  if (policy.allowOrigins === 'every') return EVERY_PAGE;
  if (policy.allowOrigins.length === 0) return [];
  if (origin === undefined || !isAllowedOrigin(origin, policy)) return BY_ORIGIN;
  return [['Access-Control-Allow-Origin', origin], ...BY_ORIGIN];
}

/** What a browser wants to know before it sends JSON or a token: the answer to a preflight (Fetch, 3.2.2). */
export const PREFLIGHT_HEADERS = [
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE, OPTIONS'],
  [
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Range, Idempotency-Key, Last-Event-ID, If-None-Match',
  ],
] as const;

const EVERY_PAGE = [['Access-Control-Allow-Origin', '*']] as const;
const BY_ORIGIN = [['Vary', 'Origin']] as const;

function isForeign(
  { host, origin, 'sec-fetch-site': site }: PageHeaders,
  { hasTls = false }: PagePolicy,
): boolean {
  // Browsers send `none` when the user has typed the address.
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && !isOwnOrigin(origin, host, hasTls);
}

/** Whether an origin (`http://host[:port]`) is the server that the request was sent to. `null` never is. */
function isOwnOrigin(origin: string, host = '', hasTls = false): boolean {
  const scheme = (hasTls ? /^https:\/\// : /^https?:\/\//).exec(origin)?.[0];
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(scheme + host)) return false;
  return new URL(origin).host === new URL(scheme + host).host;
}

function isAllowedOrigin(origin: string | undefined, { allowOrigins }: PagePolicy): boolean {
  return allowOrigins === 'every' || (origin !== undefined && allowOrigins.includes(origin));
}

/**
 * Whether the owner of a name can point it at this host. Not so for an address, for `localhost` and what is below it,
 * and for a name without a dot, such as a container's: those are nobody's on the internet.
 */
function canBeRebound(host: string, allowHosts: readonly string[]): boolean {
  if (!host.includes('.')) return false;
  const name = host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) !== 0 || name.endsWith('.localhost')) return false;
  return !allowHosts.includes(name);
}
