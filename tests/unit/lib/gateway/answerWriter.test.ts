import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { WholeWriter } from '../../../../lib/gateway/answerWriter.ts';
import { PeerDuplex } from '../../../../lib/gateway/duplex.ts';
import type { PeerPort } from '../../../../lib/gateway/peerPort.ts';

/** The messages that a stream makes as an answer. */
async function messagesOf(body: () => AsyncGenerator<string>): Promise<readonly string[]> {
  const messages: string[] = [];
  const peer: PeerPort = {
    send: (message, settle) => {
      messages.push(String(message));
      queueMicrotask(() => settle('sent'));
    },
    close: () => undefined,
    now: () => 0,
  };
  const socket = new PeerDuplex(peer, { maxUnreadBytes: 100, writeTimeoutMs: 1_000 });
  await new Promise<void>((resolve, reject) => {
    const reply = { status: 200, headers: [], body: Readable.from(body(), { objectMode: false }) };
    new WholeWriter(socket, 'GET').send(reply, (error) => (error ? reject(error) : resolve()));
  });
  socket.destroy();
  return messages;
}

it('what a stream has at once goes with the head: who is cut off behind it knows where to go on', async () => {
  const [first] = await messagesOf(async function* () {
    yield 'id: 0\n\n';
    await sleep(20);
    yield 'more';
  });
  expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(first).toMatch(/\r\n\r\n7\r\nid: 0\n\n\r\n$/);
});

it('the head does not wait for a stream that has nothing yet', async () => {
  let hasBegun = false;
  const messages = await messagesOf(async function* () {
    await sleep(50);
    hasBegun = true;
    yield 'late';
  });
  expect(hasBegun).toBe(true);
  expect(messages[0]).toMatch(/\r\n\r\n$/);
});
