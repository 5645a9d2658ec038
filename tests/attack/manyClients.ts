import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { startHellos } from '../helpers/hellos.ts';
import { request, requestBytes } from '../helpers/http.ts';
import type { TestServer } from '../helpers/startServer.ts';

export interface Crowd {
  /** Those that had an answer, keep their connection, and ask nothing. */
  readonly idle: number;
  readonly slow: number;
  readonly following: number;
}

export interface Endured {
  /** What `hello` took while they all were there, in milliseconds. */
  readonly helloMs: readonly number[];
  /** Slow clients whose request was answered with 200. */
  readonly slowAnswered: number;
  /** Followers that got the last line of the output. */
  readonly followersServed: number;
  /** Idle clients that were connected all the time. */
  readonly idleConnected: number;
}

/** Bytes that a slow client still has to send, one a second. */
const SLOW_BYTES = 12;
const SLOW_GROUPS = 20;
const HELLO_EVERY_MS = 20;
const LAST_LINE = 'the last line';

/** A connection, and what came on it. */
class Client {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    const close = () => {
      this.closed = true;
    };
    this.socket.on('error', close).on('close', close);
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
  }
}

/** Connects all of a crowd, asks `hello` meanwhile, and tells what became of each kind. */
export async function endureCrowd(server: TestServer, crowd: Crowd): Promise<Endured> {
  const { port } = server;
  const hello = { payload: { action: 'hello', meta: { askAbout: 'timestamp' } } };
  const gate = join(server.folders.cwd, 'gate');
  const cmd = `echo first; until [ -e '${gate}' ]; do sleep 0.05; done; echo ${LAST_LINE}`;
  await server.post('run', { cmd, auid: 'crowd', jid: 'followed', threaded: true });
  const clients = (count: number) => Array.from({ length: count }, () => new Client(port));
  // A connection that has never said anything is closed after ten seconds; one that had its answer may stay.
  const idle = clients(crowd.idle);
  const greeting = requestBytes('POST', '/', { body: hello });
  for (const { socket } of idle) socket.write(greeting);
  await eventually(() => idle.every(({ text }) => text.startsWith('HTTP/1.1 200')), {
    timeoutMs: 60_000,
    message: 'all idle clients to have their first answer',
  });
  const following = clients(crowd.following);
  const follow = requestBytes('GET', '/api/v1/_-1/stdout?follow=1');
  for (const { socket } of following) socket.write(follow);
  await eventually(() => following.every(({ text }) => text.includes('first')), {
    timeoutMs: 60_000,
    message: 'all followers to get the first line',
  });
  const slow = clients(crowd.slow);
  const start = greeting.length - SLOW_BYTES;
  for (const { socket } of slow) socket.write(greeting.subarray(0, start));
  // It comes behind them: when it is answered they are all there.
  await request(port, 'POST', '/', { body: hello });
  // Each sends a byte a second, but not all in the same moment.
  let tick = 0;
  const ticks = setInterval(() => {
    const [group, sent] = [tick % SLOW_GROUPS, Math.floor(tick / SLOW_GROUPS)];
    tick += 1;
    if (sent >= SLOW_BYTES) return;
    for (let i = group; i < slow.length; i += SLOW_GROUPS) {
      slow[i]?.socket.write(greeting.subarray(start + sent, start + sent + 1));
    }
  }, 1000 / SLOW_GROUPS);
  const hellos = await startHellos(port, HELLO_EVERY_MS);
  const answered = () => slow.filter(({ text }) => text.startsWith('HTTP/1.1 200')).length;
  await eventually(() => slow.every(({ closed, text }) => closed || text !== ''), {
    timeoutMs: 120_000,
    message: 'the slow clients to be answered',
  });
  clearInterval(ticks);
  const helloMs = await hellos.stop();
  const idleConnected = idle.filter(({ closed }) => !closed).length;
  writeFileSync(gate, '');
  const served = () => following.filter(({ text }) => text.includes(LAST_LINE)).length;
  await eventually(
    () => following.every(({ closed, text }) => closed || text.includes(LAST_LINE)),
    {
      timeoutMs: 60_000,
      message: 'the followers to get the last line',
    },
  );
  const endured = {
    ...{ helloMs, idleConnected },
    ...{ slowAnswered: answered(), followersServed: served() },
  };
  for (const { socket } of [...idle, ...slow, ...following]) socket.destroy();
  return endured;
}
