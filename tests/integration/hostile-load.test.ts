import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { requestBytes, Wire } from '../helpers/http.ts';
import { within } from '../helpers/patience.ts';
import {
  act,
  command,
  endServer,
  expectListener,
  replyOf,
  residentMib,
  runJob,
  untilEnded,
} from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const HALF_OPEN = 200;
const halves = [
  '',
  'G',
  'POST /api/v1/cmd HT',
  'POST /api/v1/cmd HTTP/1.1\r\nHost: x\r\nX-Half: ',
  'POST /api/v1/cmd HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"payload": ',
  'POST /api/v1/cmd HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"p',
];

describe('a server with one listener', () => {
  let server: TestServer;
  let halfOpen: Wire[];
  let openedAt: number;
  let quietMib: number;
  beforeAll(async () => {
    server = await startServer({ flags: ['--listeners', '1'] });
    await untilEnded(server, await runJob(server, 'true'));
    quietMib = residentMib(server.pid);
    halfOpen = await Promise.all(Array.from({ length: HALF_OPEN }, () => Wire.open(server.port)));
    openedAt = performance.now();
    for (const [i, wire] of halfOpen.entries()) await wire.send(halves[i % halves.length] ?? '');
  });
  afterAll(async () => {
    for (const wire of halfOpen) wire.destroy();
    await endServer(server);
  });

  const hello = () => act(server, 'hello', { askAbout: 'timestamp' });
  /** The median of what some requests take, in ms: one may fall into a pause of the machine. */
  async function medianMs(count = 21): Promise<number> {
    const took: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const started = performance.now();
      expect(replyOf(await hello()).status).toBe(true);
      took.push(performance.now() - started);
    }
    return took.sort((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
  }

  it('uses less than 120 MB when it idles', () => expect(quietMib).toBeLessThan(120));

  it('serves others in under 100 ms while 200 connections say half a request', async () => {
    expect(halfOpen.filter(({ state }) => state === 'open')).toHaveLength(HALF_OPEN);
    expect(await medianMs()).toBeLessThan(within(100));
  });

  it('answers 500 connections at once, all of them', async () => {
    const wires = await Promise.all(Array.from({ length: 500 }, () => Wire.open(server.port)));
    const body = (i: number) => command('hello', { askAbout: 'echoBack', echoBack: i });
    await Promise.all(
      wires.map((wire, i) => wire.send(requestBytes('POST', '/', { body: body(i) }))),
    );
    const answers = await Promise.all(wires.map((wire) => wire.answer()));
    const echoes = answers.map(
      (answer) => (replyOf(answer).d_ret as { echoBack: unknown }).echoBack,
    );
    expect(echoes).toEqual(wires.map((_, i) => ({ msg: i })));
    for (const wire of wires) wire.destroy();
  });

  it('survives 500 clients that hang up in the middle of their request', async () => {
    for (let i = 0; i < 500; i += 1) {
      const wire = await Wire.open(server.port);
      await wire.send(halves[i % halves.length] ?? '');
      wire.destroy();
    }
    expect(await medianMs()).toBeLessThan(within(100));
  });

  it('serves others, in bounded memory, while readers of large answers do not read', async () => {
    const body = command('hello', { askAbout: 'echoBack', echoBack: 'x'.repeat(2_000_000) });
    const bytes = requestBytes('POST', '/', { body });
    const slow: Socket[] = [];
    for (let i = 0; i < 20; i += 1) {
      const socket = connect({ port: server.port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(bytes);
      slow.push(socket);
    }
    await eventually(() => slow.every(({ bytesWritten }) => bytesWritten === bytes.length));
    expect(await medianMs()).toBeLessThan(within(100));
    expect(residentMib(server.pid)).toBeLessThan(quietMib + 500);
    for (const socket of slow) socket.destroy();
  });

  it('serves others while somebody reads a byte at a time', async () => {
    const jid = await runJob(server, 'seq 1 200000');
    await untilEnded(server, jid);
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.on('readable', () => socket.read(1));
    const body = command('result', { key: 'jid', value: jid });
    socket.write(requestBytes('POST', '/', { body }));
    expect(await medianMs()).toBeLessThan(within(100));
    socket.destroy();
  });

  it('takes 200 runs at once and runs each once', async () => {
    const jids = await Promise.all(
      Array.from({ length: 200 }, (_, i) => runJob(server, `echo ${i}`, { jid: `load-${i}` })),
    );
    for (const [i, jid] of jids.entries()) {
      expect((await untilEnded(server, jid, 20_000)).stdout).toEqual([`${i}\n`]);
    }
  });

  it('has closed the half-open connections within 20 s, most with a reason', async () => {
    const leftMs = () => 20_000 - (performance.now() - openedAt);
    for (const wire of halfOpen) {
      expect(await wire.settled(Math.max(0, leftMs()))).not.toBe('open');
    }
    const reasons = halfOpen.map((wire) => wire.unread.toString('latin1', 0, 12));
    expect(reasons.filter((line) => line === 'HTTP/1.1 408').length).toBeGreaterThan(HALF_OPEN / 2);
  });

  it('has lost no listener and has not grown', async () => {
    await expectListener(server);
    // The collector gives memory back when it likes: under a little work it comes round.
    await eventually(
      async () => {
        await medianMs(50);
        return residentMib(server.pid) < quietMib + 120;
      },
      { message: `memory to come back near ${quietMib} MiB` },
    );
  });
});
