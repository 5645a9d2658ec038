import { readFileSync } from 'node:fs';

/** A connection of the system. */
interface Connection {
  /** By which the system tells sockets apart. */
  readonly inode: string;
  readonly address: string;
}

/** Reads the connections of a local port that somebody has accepted. */
export type ReadConnections = (port: number) => readonly Connection[];

/** Of many addresses that a client may have, so many are told. */
const MAX_CANDIDATES = 8;

/**
 * Where the connections of a ROUTER come from. ZeroMQ does not say, so they are looked up in the tables of the
 * system when somebody asks: what came since the last look belongs to the sockets that are new there. When these come
 * from several addresses, each of the clients may have any of them. Elsewhere than on Linux nothing is known.
 */
export class PeerAddresses {
  readonly #port: number;
  readonly #read: ReadConnections;
  /** Who has come since the last look, in that order. */
  readonly #unknown = new Set<number>();
  readonly #known = new Map<number, readonly string[]>();
  /** Sockets that are taken into account. */
  #seen = new Set<string>();

  constructor(port: number, read: ReadConnections = acceptedConnections) {
    this.#port = port;
    this.#read = read;
  }

  came(peer: number): void {
    this.#unknown.add(peer);
  }

  left(peer: number): void {
    this.#unknown.delete(peer);
    this.#known.delete(peer);
  }

  /** The addresses that a peer may have; none when nothing is known. */
  of(peer: number): readonly string[] {
    if (this.#unknown.has(peer)) this.#look();
    return this.#known.get(peer) ?? [];
  }

  #look(): void {
    const all = this.#read(this.#port);
    const fresh = all.filter(({ inode }) => !this.#seen.has(inode));
    const addresses = [...new Set(fresh.map(({ address }) => address))].slice(0, MAX_CANDIDATES);
    for (const peer of this.#unknown) this.#known.set(peer, addresses);
    // Those that ZeroMQ has accepted and not told of yet are looked at again with the next.
    const early = new Set(fresh.slice(this.#unknown.size).map(({ inode }) => inode));
    this.#unknown.clear();
    const taken = all.map(({ inode }) => inode).filter((inode) => !early.has(inode));
    this.#seen = new Set(taken);
  }
}

/** Linux, proc(5): the tables of TCP connections, and the states in which a request can come in. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;
/** ESTABLISHED, CLOSE_WAIT. */
const OPEN_STATES: ReadonlySet<string> = new Set(['01', '08']);

/** The connections of a port that have been accepted, as the system lists them; the oldest first as far as it tells. */
export function acceptedConnections(port: number): readonly Connection[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = TABLES.flatMap((table) =>
    textOf(table)
      .split('\n')
      .flatMap((line): Connection[] => {
        if (!line.includes(suffix)) return [];
        const [, local = '', remote = '', state = '', , , , , , inode = '0'] = line
          .trim()
          .split(/\s+/);
        // Until it is accepted it is nobody's, and has no number.
        const isOurs = local.endsWith(suffix) && OPEN_STATES.has(state) && inode !== '0';
        return isOurs ? [{ inode, address: addressOf(remote.split(':')[0] ?? '') }] : [];
      }),
  );
  return found.sort((a, b) => Number(a.inode) - Number(b.inode));
}

function textOf(table: string): string {
  try {
    return readFileSync(table, 'latin1');
  } catch {
    // There is no such table: another system, or one without IPv6.
    return '';
  }
}

/** An address as the tables have it: words of 32 bits, each in the byte order of this machine. */
export function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const pairs = (word.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
    return isLittleEndian ? pairs.reverse() : pairs;
  });
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  if (isMapped) return bytes.slice(12).join('.');
  const pieces = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${pieces.join(':')}]`).hostname.slice(1, -1);
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
