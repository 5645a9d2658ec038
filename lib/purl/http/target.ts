import { PurlFailure } from '../failure.ts';

/** An IPv6 address with the interface it is reached by, as curl takes it: `[fe80::1%eth0]`, `%25` for `%` too. */
const ZONE = /(\[[0-9a-f:.]+)%(?:25)?([^\]%/]+)\]/i;

/** The interfaces that addresses name, by the host of their URL. @throws PurlFailure `badTarget` */
export function zonesOf(texts: readonly string[]): ReadonlyMap<string, string> {
  const zones = texts.flatMap((text) => {
    const zone = ZONE.exec(text)?.[2];
    return zone === undefined ? [] : [[hostOf(parseTarget(text)), zone] as const];
  });
  return new Map(zones);
}

/**
 * The URL that `--http` means: `host:port/path` as the original takes it, or with `http://` or
 * `https://`. Without a port the scheme's own is used.
 * @throws PurlFailure `badTarget`
 */
export function parseTarget(text: string): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(ZONE, '$1]'));
  } catch (cause) {
    throw new PurlFailure('badTarget', `--http ${text} is not an address: want host:port/path`, {
      cause,
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PurlFailure('badTarget', `--http ${text}: only http and https are spoken here`);
  }
  return url;
}

/** The port that a URL means. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The host of a URL as a socket wants it: an IPv6 address without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
