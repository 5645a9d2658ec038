import { afterEach, describe, expect, it } from '@jest/globals';
import { Dealer, Request } from 'zeromq';
import {
  type Echo,
  type EchoGateway,
  eventually,
  openEcho,
  post,
  RawClient,
} from '../helpers/gateway.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

async function open(): Promise<EchoGateway> {
  const echo = await openEcho({ rawmode: false, limits: { maxBodyBytes: 1_000_000 } });
  opened.push(echo.gateway);
  return echo;
}

function client<T extends Dealer | Request>(socket: T, { gateway }: EchoGateway): T {
  socket.linger = 0;
  socket.receiveTimeout = 5_000;
  socket.connect(gateway.endpoint);
  opened.push(socket);
  return socket;
}

const json = '{"payload": {"action": "hello"}}';

function echoed(frame: Buffer | undefined): Echo {
  return JSON.parse(String(frame)) as Echo;
}

describe('a native ZeroMQ client', () => {
  it('that is a REQ gets the JSON body for JSON', async () => {
    const req = client(new Request(), await open());
    for (let round = 0; round < 3; round += 1) {
      await req.send(json);
      const frames = await req.receive();
      expect(frames).toHaveLength(1);
      expect(echoed(frames[0])).toMatchObject({
        method: 'POST',
        target: '/api/v1/cmd',
        authorization: null,
        body: json,
      });
    }
  });

  it.each([
    ['without', []],
    ['with', ['']],
  ])('that is a DEALER gets its frames back %s an empty delimiter', async (_how, envelope) => {
    const dealer = client(new Dealer(), await open());
    await dealer.send([...envelope, json]);
    const frames = await dealer.receive();
    expect(frames.slice(0, -1).map(String)).toEqual(envelope);
    expect(echoed(frames.at(-1)).body).toBe(json);
  });

  it('gets HTTP text for HTTP text', async () => {
    const req = client(new Request(), await open());
    await req.send(post(json, ['Authorization: bearer abc'], '/api/v1/x'));
    const [frame] = await req.receive();
    const [head, body] = String(frame).split('\r\n\r\n');
    expect(head).toMatch(
      /^HTTP\/1\.1 200 OK\r\nDate: .* GMT\r\nContent-Length: \d+\r\nContent-Type: application\/json/,
    );
    expect(JSON.parse(String(body))).toMatchObject({
      target: '/api/v1/x',
      authorization: 'bearer abc',
      body: json,
    });
  });

  it('gets a refusal as HTTP text for HTTP text that is none', async () => {
    const req = client(new Request(), await open());
    await req.send('POST /api/v1/cmd HTTP/1.1\r\nHost: x\r\nContent-Length: a\r\n\r\nabc');
    expect(String((await req.receive())[0])).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('may have many messages under way', async () => {
    const dealer = client(new Dealer(), await open());
    for (let i = 0; i < 200; i += 1) await dealer.send(['', String(i), `{"n": ${i}}`]);
    const got = new Set<string>();
    while (got.size < 200) {
      const [, tag, answer] = await dealer.receive();
      expect(echoed(answer).body).toBe(`{"n": ${String(tag)}}`);
      got.add(String(tag));
    }
  });

  it('gets an answer of megabytes, and one to a message that is empty', async () => {
    const dealer = client(new Dealer(), await open());
    await dealer.send('GET /big/9000000 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await dealer.receive())[0]?.length).toBeGreaterThan(9_000_000);
    await dealer.send('');
    expect(echoed((await dealer.receive())[0]).bodyBytes).toBe(0);
  });

  it('that sends too much is cut off, and others are served', async () => {
    const echo = await open();
    const dealer = client(new Dealer(), echo);
    await dealer.send(Buffer.alloc(2_000_000));
    const other = client(new Request(), echo);
    await other.send(json);
    expect(echoed((await other.receive())[0]).body).toBe(json);
    expect(echo.requests).toHaveLength(1);
  });

  it('is served while others speak plain HTTP to the socket', async () => {
    const echo = await open();
    const plain = await RawClient.open(echo.port);
    opened.push({ close: () => plain.socket.destroy() });
    plain.write(post(json));
    const req = client(new Request(), echo);
    await req.send(json);
    expect(echoed((await req.receive())[0]).body).toBe(json);
  });

  it('still gets the answer that is under way when the gateway closes', async () => {
    const echo = await open();
    const req = client(new Request(), echo);
    await req.send('GET /slow/150 HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the request', () => echo.requests.length === 1);
    await echo.gateway.close(2_000);
    expect(String((await req.receive())[0])).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});
