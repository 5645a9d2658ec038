import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PeerDuplex, type PeerPort, pieces } from '../../../../lib/gateway/duplex.ts';
import type { SendOutcome } from '../../../../lib/gateway/rawRouter.ts';
import { eventually } from '../../../helpers/eventually.ts';

const text = (chunk: string, encoding: BufferEncoding = 'latin1') => ({ chunk, encoding });
const bytes = (chunk: Buffer) => ({ chunk, encoding: 'utf8' as const });

describe('pieces', () => {
  it('joins the head and the body of a small answer', () => {
    expect(pieces([text('head\r\n'), bytes(Buffer.from('body')), text('')]).map(String)).toEqual([
      'head\r\nbody',
    ]);
  });

  it('writes text in its encoding', () => {
    expect(pieces([text('ü'), text('ü', 'utf8')])[0]).toEqual(Buffer.from([0xfc, 0xc3, 0xbc]));
  });

  it('never makes an empty message, which would close the connection', () => {
    expect(pieces([text(''), bytes(Buffer.alloc(0))])).toEqual([]);
  });

  it('keeps all bytes in order, in messages of 1 byte to 64 KiB', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 6 }), (lengths) => {
        const chunks = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        const out = pieces(chunks.map(bytes));
        expect(Buffer.concat(out).equals(Buffer.concat(chunks))).toBe(true);
        expect(out.every(({ length }) => length > 0 && length <= 65_536)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

/** A peer that takes messages or not, as the test says. */
class Peer implements PeerPort {
  readonly sent: string[] = [];
  outcome: SendOutcome = 'sent';
  /** How often something was to be sent. */
  tries = 0;
  closed = 0;
  nowMs = 0;

  async send(message: Buffer): Promise<SendOutcome> {
    this.tries += 1;
    if (this.outcome === 'sent') this.sent.push(String(message));
    return this.outcome;
  }

  close(): void {
    this.closed += 1;
  }

  now(): number {
    return this.nowMs;
  }
}

function open(): { peer: Peer; duplex: PeerDuplex; seen: string[] } {
  const peer = new Peer();
  const duplex = new PeerDuplex(peer, { maxUnreadBytes: 100, writeTimeoutMs: 1_000 });
  const seen: string[] = [];
  for (const name of ['end', 'finish', 'close', 'timeout']) {
    duplex.on(name, () => seen.push(name));
  }
  duplex.on('error', (error) => seen.push(`error: ${error.message}`));
  return { peer, duplex, seen };
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
    expect(got).toBe('abc');
    duplex.receive(Buffer.from('f'));
    duplex.releaseInput();
    duplex.receive(Buffer.from('g'));
    expect(got).toBe('abcdefg');
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
