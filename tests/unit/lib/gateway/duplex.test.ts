import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Pace } from '../../../../lib/concurrency/turns.ts';
import { PeerDuplex } from '../../../../lib/gateway/duplex.ts';
import type { PeerPort } from '../../../../lib/gateway/peerPort.ts';
import type { SendOutcome, Settle } from '../../../../lib/gateway/rawRouter.ts';
import { eventually } from '../../../helpers/eventually.ts';

/** A peer that takes messages or not, as the test says. */
class Peer implements PeerPort {
  readonly sent: string[] = [];
  outcome: SendOutcome = 'sent';
  /** How often something was to be sent. */
  tries = 0;
  closed = 0;
  nowMs = 0;

  send(message: Buffer, settle: Settle): void {
    this.tries += 1;
    const { outcome } = this;
    if (outcome === 'sent') this.sent.push(String(message));
    queueMicrotask(() => settle(outcome));
  }

  close(): void {
    this.closed += 1;
  }

  now(): number {
    return this.nowMs;
  }
}

/** It is always the others' turn, once after each piece. */
class CountedPace implements Pace {
  turns = 0;
  #isMine = false;

  get isOthersTurn(): boolean {
    const isTheirs = !this.#isMine;
    this.#isMine = false;
    return isTheirs;
  }

  async turn(): Promise<void> {
    this.turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.#isMine = true;
  }
}

interface Opening {
  readonly maxUnreadBytes?: number;
  readonly pace?: Pace;
}

function open({ maxUnreadBytes = 100, pace }: Opening = {}): {
  peer: Peer;
  duplex: PeerDuplex;
  seen: string[];
} {
  const peer = new Peer();
  const duplex = new PeerDuplex(peer, { maxUnreadBytes, writeTimeoutMs: 1_000 }, pace);
  const seen: string[] = [];
  for (const name of ['end', 'finish', 'close', 'timeout']) {
    duplex.on(name, () => seen.push(name));
  }
  duplex.on('error', (error) => seen.push(`error: ${error.message}`));
  return { peer, duplex, seen };
}

function writeMessage(duplex: PeerDuplex, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    duplex.writeMessage(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** The peer took nothing, was tried again, and took nothing again. */
const refusedTwice = (peer: Peer) => eventually(() => peer.tries > 2, { message: 'more tries' });

describe('PeerDuplex', () => {
  it('ends and closes when the peer is gone, and sends it no close', async () => {
    const { peer, duplex, seen } = open();
    duplex.resume();
    duplex.receive(Buffer.from('x'));
    duplex.disconnected();
    await eventually(() => seen.includes('end') && seen.includes('close'), { message: 'its end' });
    expect(peer.closed).toBe(0);
  });

  it('closes the connection once when it is destroyed', async () => {
    const { peer, duplex, seen } = open();
    duplex.destroy();
    duplex.destroy();
    await eventually(() => seen.includes('close'), { message: 'its close' });
    expect(peer.closed).toBe(1);
  });

  it('closes after all is written when it is destroyed soon', async () => {
    const { peer, duplex } = open();
    peer.outcome = 'full';
    duplex.write('last words');
    duplex.destroySoon();
    await refusedTwice(peer);
    expect(peer.closed).toBe(0);
    peer.outcome = 'sent';
    await eventually(() => peer.closed > 0, { message: 'the connection to be closed' });
    expect(peer.sent).toEqual(['last words']);
    expect(peer.closed).toBe(1);
  });

  it('gives up on a peer that takes nothing for too long', async () => {
    const { peer, duplex, seen } = open();
    peer.outcome = 'full';
    duplex.write('answer');
    await refusedTwice(peer);
    expect(seen).toEqual([]);
    peer.nowMs = 1_001;
    await eventually(() => peer.closed > 0, { message: 'the connection to be closed' });
    expect(seen).toContain('error: the client does not read its answer');
    expect(peer.closed).toBe(1);
  });

  it('cuts off a peer that sends more than is read', () => {
    const { duplex } = open();
    duplex.holdInput();
    duplex.receive(Buffer.alloc(60));
    expect(duplex.destroyed).toBe(false);
    duplex.receive(Buffer.alloc(60));
    expect(duplex.destroyed).toBe(true);
  });

  it('keeps input in order when it is held back and released in parts', async () => {
    const { duplex } = open();
    let got = '';
    duplex.on('data', (chunk) => {
      got += String(chunk);
      if (got.length === 1 || got.length === 3) duplex.holdInput();
    });
    await once(duplex, 'resume');
    for (const letter of 'abcde') duplex.receive(Buffer.from(letter));
    expect(got).toBe('a');
    duplex.releaseInput();
    await eventually(() => got === 'abc', { message: 'the input up to the next hold' });
    duplex.receive(Buffer.from('f'));
    duplex.releaseInput();
    duplex.receive(Buffer.from('g'));
    await eventually(() => got === 'abcdefg', { message: 'the rest of the input' });
  });

  it('passes on what was held back in small pieces, with a turn for others between them', async () => {
    const pace = new CountedPace();
    const { duplex } = open({ maxUnreadBytes: 1_000_000, pace });
    let got = '';
    let most = 0;
    duplex.on('data', (chunk: Buffer) => {
      got += String(chunk);
      most = Math.max(most, chunk.length);
    });
    await once(duplex, 'resume');
    duplex.holdInput();
    const sent = Array.from({ length: 20_000 }, (_, i) => `${i} `).join('');
    for (let at = 0; at < sent.length; at += 8192) {
      duplex.receive(Buffer.from(sent.slice(at, at + 8192)));
    }
    duplex.releaseInput();
    await eventually(() => got.length === sent.length, { message: 'all input' });
    expect(got).toBe(sent);
    expect(most).toBeLessThanOrEqual(2048);
    expect(pace.turns).toBeGreaterThan(sent.length / 2048);
  });

  it('gives a reader that was away the input of one message at a time', async () => {
    const pace = new CountedPace();
    const { duplex } = open({ maxUnreadBytes: 1_000_000, pace });
    let got = 0;
    duplex.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    await once(duplex, 'resume');
    duplex.pause();
    for (let i = 0; i < 50; i += 1) duplex.receive(Buffer.alloc(8192));
    duplex.resume();
    await eventually(() => got === 50 * 8192, { message: 'all input' });
    expect(pace.turns).toBeGreaterThan(45);
  });

  it('reads what a peer has sent before it left, although it had to wait', async () => {
    const { duplex, seen } = open({ maxUnreadBytes: 1_000_000 });
    let got = 0;
    duplex.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    await once(duplex, 'resume');
    duplex.pause();
    for (let i = 0; i < 5; i += 1) duplex.receive(Buffer.alloc(8192));
    duplex.disconnected();
    duplex.resume();
    await eventually(() => seen.includes('close'), { message: 'its end' });
    expect(got).toBe(5 * 8192);
    expect(seen).toContain('end');
  });

  it('tells of a time without a byte, and counts none while input is held back', () => {
    const { peer, duplex, seen } = open();
    duplex.setTimeout(100);
    duplex.tick(99);
    peer.nowMs = 90;
    duplex.receive(Buffer.from('x'));
    duplex.tick(150);
    duplex.holdInput();
    duplex.tick(500);
    duplex.releaseInput();
    duplex.tick(550);
    expect(seen).toEqual([]);
    duplex.tick(600);
    expect(seen).toEqual(['timeout']);
    duplex.setTimeout(0);
    duplex.tick(9_000);
    expect(seen).toEqual(['timeout']);
  });
});

describe('PeerDuplex: whole messages', () => {
  it('go out at once, and resolve when the peer has room for them', async () => {
    const { peer, duplex } = open();
    await writeMessage(duplex, 'one');
    await writeMessage(duplex, 'two');
    expect(peer.sent).toEqual(['one', 'two']);
    peer.outcome = 'full';
    let isOut = false;
    const out = writeMessage(duplex, 'three').then(() => {
      isOut = true;
    });
    await refusedTwice(peer);
    expect(isOut).toBe(false);
    peer.outcome = 'sent';
    await out;
    expect(peer.sent).toEqual(['one', 'two', 'three']);
  });

  it('do not overtake what was written before, which still waits', async () => {
    const { peer, duplex } = open();
    peer.outcome = 'full';
    duplex.write('first');
    const out = writeMessage(duplex, 'second');
    await refusedTwice(peer);
    peer.outcome = 'sent';
    await out;
    expect(peer.sent.join('')).toBe('firstsecond');
  });

  it('may be of any length and any characters', async () => {
    const { peer, duplex } = open();
    const text = 'ä'.repeat(200_000);
    await writeMessage(duplex, text);
    expect(peer.sent.join('')).toBe(text);
    expect(peer.sent.length).toBeGreaterThan(1);
  });

  it('reject when the peer is gone', async () => {
    const { peer, duplex } = open();
    peer.outcome = 'gone';
    await expect(writeMessage(duplex, 'one')).rejects.toThrow('the client closed the connection');
  });
});
