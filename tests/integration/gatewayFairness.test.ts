import { afterEach, describe, expect, it } from '@jest/globals';
import { Dealer } from 'zeromq';
import { type Gateway, openGateway } from '../../lib/gateway/index.ts';
import { silentLogger } from '../../lib/log.ts';
import { eventually, get, RawClient, refusal } from '../helpers/gateway.ts';
import { within } from '../helpers/patience.ts';

const COUNT = 400;
/** What each request keeps the process to itself, as a disk does that confirms each job; milliseconds. */
const BUSY_MS = 4;
/** All of them in a row would be 1,600 ms. */
const LIMIT_MS = 600;

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

async function open(rawmode: boolean): Promise<{ gateway: Gateway; served: () => number }> {
  let served = 0;
  const gateway = await openGateway(
    {
      ...{ ip: '127.0.0.1', port: 0, protocol: 'tcp', rawmode, log: silentLogger(), refusal },
    },
    async () => {
      const until = performance.now() + BUSY_MS;
      while (performance.now() < until);
      served += 1;
      return { status: 200, headers: [], body: Buffer.from('{}') };
    },
  );
  opened.push(gateway);
  return { gateway, served: () => served };
}

/** The longest time between two turns of the event loop while it waits for a condition, in milliseconds. */
async function longestTurn(condition: () => boolean): Promise<number> {
  let longest = 0;
  let last = performance.now();
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest;
}

describe('many requests at once leave a turn to signals, timers and ends of jobs', () => {
  it('as HTTP', async () => {
    const { gateway, served } = await open(true);
    const clients = Array.from({ length: COUNT }, () => new RawClient(gateway.port));
    for (const { socket } of clients) opened.push({ close: () => socket.destroy() });
    await eventually('all connections', () => clients.every(({ socket }) => !socket.connecting));
    for (const client of clients) client.write(get('/x'));
    expect(await longestTurn(() => served() === COUNT)).toBeLessThan(within(LIMIT_MS));
  });

  it('as messages of a ZeroMQ client', async () => {
    const { gateway, served } = await open(false);
    const dealer = new Dealer({ linger: 0 });
    opened.push(dealer);
    dealer.connect(gateway.endpoint);
    for (let k = 0; k < COUNT; k += 1) await dealer.send('{"payload": {"action": "hello"}}');
    expect(await longestTurn(() => served() === COUNT)).toBeLessThan(within(LIMIT_MS));
  });
});

describe('requests that one client has sent ahead', () => {
  it('are looked at some at a time, and answered one in a turn', async () => {
    const count = 10_000;
    let looked = 0;
    let served = 0;
    let most = { looked: 0, served: 0 };
    let before = { looked: 0, served: 0 };
    let isOver = false;
    const look = () => {
      most = {
        looked: Math.max(most.looked, looked - before.looked),
        served: Math.max(most.served, served - before.served),
      };
      before = { looked, served };
      if (!isOver) setImmediate(look);
    };
    const gateway = await openGateway(
      {
        ...{ ip: '127.0.0.1', port: 0, protocol: 'tcp', rawmode: true, log: silentLogger() },
        refusal,
        admit: () => {
          looked += 1;
          return undefined;
        },
      },
      async () => {
        served += 1;
        return { status: 200, headers: [], body: Buffer.from('{}') };
      },
    );
    opened.push(gateway);
    const client = new RawClient(gateway.port);
    opened.push({ close: () => client.socket.destroy() });
    await eventually('a connection', () => !client.socket.connecting);
    look();
    client.write(get('/x').repeat(count));
    try {
      await eventually('all answers', () => served === count, { withinMs: 60_000 });
    } finally {
      isOver = true;
    }
    // A message of ZeroMQ has 8 KiB; of what follows no more than 2 KiB are passed on at once.
    expect(most.looked).toBeLessThan(600);
    expect(most.served).toBeLessThanOrEqual(2);
  });
});
