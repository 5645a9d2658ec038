import { type BlockList, isIP } from 'node:net';
import { PmanError } from '../errors.ts';
import { isIn, isPublicAddress, networks, plainAddress } from './specialAddresses.ts';

/** One entry of `--notifyHosts`. */
interface HostRule {
  readonly protocol: 'http:' | 'https:';
  /** Undefined: the usual one of the protocol. */
  readonly port: number | 'any' | undefined;
  readonly host:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'below'; readonly suffix: string }
    | { readonly kind: 'every' }
    | { readonly kind: 'network'; readonly block: BlockList };
}

const DEFAULT_PORTS = { 'http:': '80', 'https:': '443' } as const;
const NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Where webhooks may go. A host is named by an entry; an address that is not of the shared Internet has to lie in a network
 * that is listed, however its host is called.
 */
export class AllowedHosts {
  readonly #rules: readonly HostRule[];

  /** @throws Error for an entry that is none; it says which */
  constructor(entries: readonly string[]) {
    this.#rules = entries.map(ruleOf);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /**
   * A URL that a webhook may be sent to, as far as that is known without a look into the DNS.
   * @throws PmanError bad_request for what is no such URL, forbidden when its host is not allowed
   */
  require(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !(url.protocol in DEFAULT_PORTS)) {
      throw new PmanError('bad_request', `${shown(text)} is no URL that begins with https://`);
    }
    if (url.username !== '' || url.password !== '') {
      throw new PmanError(
        'bad_request',
        `the URL for ${shown(url.host)} holds a user or password`,
        {
          hint: 'requests are signed: let the receiver check the signature',
        },
      );
    }
    if (this.isEmpty) {
      throw new PmanError('forbidden', 'this server sends no webhooks', {
        hint: 'its operator can allow hosts with --notifyHosts',
      });
    }
    if (this.#rules.some((rule) => fits(rule, url))) return url;
    const where = `${url.protocol}//${url.host}`;
    throw new PmanError('forbidden', `webhooks may not go to ${shown(where)}`, {
      hint: 'its operator can allow the host, protocol and port with --notifyHosts',
    });
  }

  /** Whether a connection may go to an address that an allowed host has. */
  allowsAddress(text: string): boolean {
    const address = plainAddress(text);
    if (address === undefined) return false;
    return isPublicAddress(address) || this.#rules.some((rule) => holds(rule, address));
  }
}

/** The host of a URL without brackets and without the dot at its end. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function fits({ protocol, port, host }: HostRule, url: URL): boolean {
  if (url.protocol !== protocol) return false;
  const wanted = port ?? DEFAULT_PORTS[protocol];
  if (wanted !== 'any' && String(wanted) !== (url.port || DEFAULT_PORTS[protocol])) return false;
  const name = hostOf(url);
  const address = plainAddress(name);
  switch (host.kind) {
    case 'name':
      return name === host.name;
    case 'below':
      return address === undefined && name.endsWith(host.suffix);
    case 'every':
      return address === undefined;
    case 'network':
      return address !== undefined && isIn(host.block, address);
  }
}

function holds({ host }: HostRule, address: string): boolean {
  return host.kind === 'network' && isIn(host.block, address);
}

const ENTRY = /^(https?:\/\/)?(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}|\*))?$/;

function ruleOf(entry: string): HostRule {
  const [, scheme = 'https://', host = '', port] = ENTRY.exec(entry.toLowerCase()) ?? [];
  const isPort = port === undefined || port === '*' || (Number(port) > 0 && Number(port) < 65_536);
  const named = host === '' || !isPort ? undefined : hostRule(host);
  if (named === undefined) {
    throw new Error(
      `${shown(entry)} is no host, such as hooks.example.org or http://10.1.2.3:8080`,
    );
  }
  return {
    protocol: scheme === 'http://' ? 'http:' : 'https:',
    port: port === '*' ? 'any' : port === undefined ? undefined : Number(port),
    host: named,
  };
}

function hostRule(host: string): HostRule['host'] | undefined {
  if (host === '*') return { kind: 'every' };
  const [address = '', bits] = host.replace(/^\[|\]$/g, '').split('/');
  const plain = plainAddress(address);
  if (plain !== undefined && !address.includes('%')) {
    const most = isIP(plain) === 4 ? 32 : 128;
    const length = bits === undefined ? most : Number(bits);
    // A network of wrapped addresses would have another length in the plain form.
    const isLength = /^\d{1,3}$/.test(bits ?? '0') && length <= most;
    if (!isLength || (bits !== undefined && isIP(plain) !== isIP(address))) return undefined;
    return { kind: 'network', block: networks([`${plain}/${length}`]) };
  }
  const suffix = host.startsWith('*.') ? host.slice(1) : undefined;
  const name = suffix === undefined ? host : suffix.slice(1);
  // What the URL parser makes a number of is an address, in whatever way it is written.
  if (!NAME.test(name) || !URL.canParse(`http://${name}/`)) return undefined;
  if (new URL(`http://${name}/`).hostname !== name) return undefined;
  return suffix === undefined ? { kind: 'name', name } : { kind: 'below', suffix };
}

const shown = (text: string) => JSON.stringify(text.slice(0, 100));
