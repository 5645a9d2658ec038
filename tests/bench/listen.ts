import { connect, type Socket } from 'node:net';

/**
 * Listens to the events of a pman on many connections, in a process of its own, until each that reads has had as many as are
 * to come. Usage: listen.ts <port> <listeners> <of whom do not read> <events>. It says `ready`, then a line of JSON.
 */
const [port = 0, listeners = 0, silent = 0, events = 0] = process.argv.slice(2).map(Number);
const REQUEST = 'GET /api/v2/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n';
const MARK = Buffer.from('\ndata: ');
/** What a listener is told at last that is too slow. */
const DROPPED = Buffer.from('event: dropped\n');
const LAST_WORDS = 600;

class Listener {
  readonly socket: Socket;
  events = 0;
  bytes = 0;
  /** The end of what has come, in which a mark may have begun. */
  #rest = Buffer.alloc(0);

  constructor(onEvents: () => void, onReady: () => void) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.write(REQUEST);
    this.socket.once('data', onReady);
    this.socket.on('data', (chunk) => {
      this.bytes += chunk.length;
      const data = Buffer.concat([this.#rest, chunk]);
      let at = data.indexOf(MARK);
      while (at >= 0) {
        this.events += 1;
        at = data.indexOf(MARK, at + MARK.length);
      }
      if (data.subarray(-LAST_WORDS).includes(DROPPED)) {
        throw new Error(`a listener was too slow, and was let go after ${this.events} events`);
      }
      this.#rest = Buffer.from(data.subarray(-(MARK.length - 1)));
      onEvents();
    });
  }
}

const all: Listener[] = [];
let ready = 0;
let startedAt = 0;
let hasEnded = false;

function look(): void {
  if (startedAt === 0) startedAt = performance.now();
  if (hasEnded || all.some((one, i) => i >= silent && one.events < events)) return;
  hasEnded = true;
  const seconds = (performance.now() - startedAt) / 1000;
  const read = all.slice(silent);
  const most = Math.max(...read.map((one) => one.events));
  const mebi = read.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 / 1024;
  console.log(JSON.stringify({ seconds, most, mebi }));
  process.exit(0);
}

function isReady(this: void): void {
  ready += 1;
  if (ready < listeners) return;
  for (const { socket } of all.slice(0, silent)) socket.pause();
  startedAt = 0;
  console.log('ready');
}

for (let i = 0; i < listeners; i += 1) {
  all.push(new Listener(() => ready === listeners && look(), isReady));
}
