import type { OwnSocket } from './peerNames.ts';

/** Gives the sockets of this process; see ownSockets. */
export type ReadSockets = (port: number, seen: ReadonlySet<number>) => readonly OwnSocket[];

/** Of many addresses that a client may have, so many are told. */
const MAX_CANDIDATES = 8;

/**
 * Where the connections of a ROUTER come from. ZeroMQ does not say, so this process looks at its own sockets when
 * somebody asks: what came since the last look belongs to the sockets that are new. When these come from several
 * addresses, each of the clients may have any of them. Elsewhere than on Linux nothing is known.
 */
export class PeerAddresses {
  readonly #port: number;
  readonly #read: ReadSockets;
  /** Who has come since the last look, in that order. */
  readonly #unknown = new Set<number>();
  readonly #known = new Map<number, readonly string[]>();
  /** Sockets that are taken into account. */
  #seen: ReadonlySet<number> = new Set();

  constructor(port: number, read: ReadSockets) {
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
    const all = this.#read(this.#port, this.#seen);
    const fresh = all.flatMap(({ inode, address }) =>
      address === undefined || this.#seen.has(inode) ? [] : [{ inode, address }],
    );
    const addresses = [...new Set(fresh.map(({ address }) => address))].slice(0, MAX_CANDIDATES);
    for (const peer of this.#unknown) this.#known.set(peer, addresses);
    // Those that ZeroMQ has accepted and not told of yet are looked at again with the next.
    const early = new Set(fresh.slice(this.#unknown.size).map(({ inode }) => inode));
    this.#unknown.clear();
    this.#seen = new Set(all.map(({ inode }) => inode).filter((inode) => !early.has(inode)));
  }
}
