import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_AUDIT } from '../../../../lib/access/auditLog.ts';
import { type Door, OPEN_DOOR } from '../../../../lib/access/tokenStore.ts';
import { type Soon, whenThere } from '../../../../lib/concurrency/soon.ts';
import type { GatewayReply, GatewayRequest } from '../../../../lib/gateway/types.ts';
import { makeAdmission } from '../../../../lib/server/admission.ts';
import { makeHandler } from '../../../../lib/server/handler.ts';
import { Listeners } from '../../../../lib/server/listeners.ts';
import type { PagePolicy } from '../../../../lib/wire/foreignPage.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';
import { doorWith } from '../../../helpers/door.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string | Buffer;
  readonly headers?: GatewayRequest['rawHeaders'];
  readonly door?: Door;
  readonly httpMode?: boolean;
  readonly allowOrigins?: PagePolicy['allowOrigins'];
}

/** Nobody asks for these here. */
const FIGURES = {
  metrics: async () => ({ type: 'text/plain', text: '' }),
  isReady: async () => undefined,
};

/** Lets a request in and has it answered, at once where that is possible. */
function answer(asked: Asked): Soon<GatewayReply> {
  const { method = 'POST', target = '/api/v1/cmd', body = '', headers = [] } = asked;
  const door = asked.door ?? OPEN_DOOR;
  const pages = {
    allowOrigins: asked.allowOrigins ?? [],
    allowHosts: [],
    hasTokens: door !== OPEN_DOOR,
  };
  const entrance = { door, audit: NO_AUDIT, httpMode: asked.httpMode ?? false, pages };
  const handler = makeHandler({
    ...entrance,
    services: host.services,
    listeners: new Listeners(1),
    ...FIGURES,
  });
  const request: GatewayRequest = {
    method,
    target,
    httpVersion: '1.1',
    rawHeaders: headers,
    authorization: headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1],
    body: Buffer.from(body),
    signal: new AbortController().signal,
  };
  return whenThere(makeAdmission(entrance)(request), (refusal) => refusal ?? handler(request));
}

async function ask(asked: Asked): Promise<{ reply: GatewayReply; body: JsonObject }> {
  const reply = await answer(asked);
  return { reply, body: reply.status === 204 ? {} : JSON.parse(String(reply.body)) };
}

const command = (action: string, meta: JsonObject = {}) =>
  JSON.stringify({ payload: { action, meta } });

const ECHO = ['status', 'RESTheader', 'RESTverb', 'action', 'path', 'receivedByServer'];
const PAYLOAD = ['client_json_payload', 'client_json_len', 'payloadsize'];

describe('makeHandler: the form of an answer', () => {
  it('answers a POST with its members in the order of the original', async () => {
    const sent = command('hello', { askAbout: 'echoBack', echoBack: 'hi' });
    const { reply, body } = await ask({ body: sent });
    expect(reply.status).toBe(200);
    expect(Object.keys(body)).toEqual([...ECHO, ...PAYLOAD, 'meta', 'd_ret']);
    expect(body).toMatchObject({
      status: true,
      RESTheader: 'POST /api/v1/cmd HTTP/1.1\r',
      RESTverb: 'POST',
      action: 'hello',
      client_json_payload: sent,
      client_json_len: sent.length,
      payloadsize: sent.length,
      meta: { askAbout: 'echoBack', echoBack: 'hi' },
      d_ret: { name: 'pman', echoBack: { msg: 'hi' } },
    });
    expect(String(reply.body)).toMatch(/^\{\n {4}"status": true,\n {4}"RESTheader": /);
    expect(reply.bytes).toBe(Buffer.byteLength(String(reply.body)));
    expect(reply.headers).toEqual([
      ['Content-Type', 'application/json'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cache-Control', 'no-store'],
    ]);
  });

  it('answers a short request at once, without a turn of anybody else', () => {
    const root = host.addEnded('a', 'me', 0);
    for (const asked of [
      { body: command('hello', { askAbout: 'timestamp' }) },
      { body: command('status', { key: 'jid', value: 'a' }) },
      { body: command('status', { key: 'jid', value: 'none', limit: 'x' }) },
      { method: 'GET', target: `/api/v2/jobs/${root}` },
      { method: 'GET', target: '/api/v2/jobs/none' },
      { method: 'GET', target: '/livez' },
    ]) {
      expect(answer(asked)).toMatchObject({ status: expect.any(Number) });
    }
  });

  it('answers a GET with what it finds', async () => {
    const root = host.addEnded('a', 'me', 0);
    const { body } = await ask({ method: 'GET', target: '/api/v1/_0/jid/' });
    expect(Object.keys(body)).toEqual([...ECHO, 'GET', 'client_json_payload', 'client_json_len']);
    expect(body).toMatchObject({
      status: true,
      action: '',
      path: '/api/v1/_0/jid',
      GET: { [root]: { jid: 'a' } },
      client_json_len: 0,
    });
  });

  it('reads a GET whose payload has no meta', async () => {
    const body = '{"payload": {"action": "hello"}}';
    const { reply, body: answer } = await ask({ method: 'GET', target: '/api/v1', body });
    expect(reply.status).toBe(200);
    expect(answer).toMatchObject({ status: true, GET: {}, payloadsize: body.length });
  });

  it('answers hello to a browser and to a load balancer, which send no body', async () => {
    const health = await ask({ method: 'GET', target: '/api/v1/hello' });
    expect(health.reply.status).toBe(200);
    expect(health.body).toMatchObject({
      action: 'hello',
      d_ret: { name: 'pman', health: { ok: true } },
    });
    const time = await ask({ method: 'GET', target: '/api/v1/hello/?askAbout=timestamp' });
    expect(time.body).toMatchObject({ status: true, d_ret: { timestamp: {} } });
    const echo = '/api/v1/hello?askAbout=echoBack&echoBack=hi';
    const viaProxy = await ask({ method: 'GET', target: `http://pman.example${echo}` });
    expect(viaProxy.body).toMatchObject({ path: echo, d_ret: { echoBack: { msg: 'hi' } } });
  });

  it('answers 404 for a job that is not there, and false below it', async () => {
    const { reply, body } = await ask({ method: 'GET', target: '/api/v1/nosuch' });
    expect(reply.status).toBe(404);
    expect(body).toMatchObject({ status: false, error: { code: 'not_found' } });
    const below = await ask({ method: 'GET', target: '/api/v1/nosuch/cmd' });
    expect(below.body).toMatchObject({ status: true, GET: { nosuch: { cmd: false } } });
  });

  it.each(['/metrics/x', '/livez/x', '/readyz/x/y', '/openapi.json/x', '/api/v1/hello/x'])(
    'answers 404 for %s: nothing is below the names of the server itself',
    async (target) => {
      const { reply, body } = await ask({ method: 'GET', target });
      expect(reply.status).toBe(404);
      expect(body).toMatchObject({ status: false, error: { code: 'not_found' } });
    },
  );

  it('writes ASCII, and counts characters', async () => {
    const { reply, body } = await ask({ body: command('hello', { askAbout: 'ü😀' }) });
    expect(String(reply.body)).toMatch(/^[\n -~]*$/);
    expect(body.meta).toEqual({ askAbout: 'ü😀' });
    expect(body.client_json_len).toBe([...command('hello', { askAbout: 'ü😀' })].length);
  });

  it('does not count the line end behind a body, as the original did not see it', async () => {
    const { body } = await ask({ body: `${command('hello')}\r\n` });
    expect(body.client_json_payload).toBe(command('hello'));
  });

  it('takes a body in many lines', async () => {
    const pretty = JSON.stringify(JSON.parse(command('hello', { askAbout: 'x' })), null, 4);
    const { body } = await ask({ body: pretty });
    expect(body).toMatchObject({ action: 'hello', d_ret: { name: 'pman' } });
  });
});

describe('makeHandler: --http', () => {
  const typeOf = ({ headers }: GatewayReply) => new Map(headers).get('Content-Type');

  it('says application/html, and lets no page read the answer', async () => {
    const { reply } = await ask({ method: 'GET', target: '/api/v1', httpMode: true });
    expect(reply.headers).toEqual([
      ['Content-Type', 'application/html'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cache-Control', 'no-store'],
    ]);
  });

  it.each([
    ['text/html,*/*', 'application/json'],
    ['application/json, */*;q=0.5', 'application/html'],
    ['*/*', 'application/html'],
  ])('says to one that accepts %s: %s', async (accept, type) => {
    const headers = [['accept', accept]] as const;
    const { reply } = await ask({ method: 'GET', target: '/api/v1', httpMode: true, headers });
    expect(typeOf(reply)).toBe(type);
  });

  it("answers a browser's question before it sends JSON", async () => {
    const preflight = [
      ['Host', 'localhost:5010'],
      ['Origin', 'http://page.example'],
      ['Access-Control-Request-Method', 'POST'],
    ] as const;
    const asked = { method: 'OPTIONS', headers: preflight, body: command('hello') };
    const { reply } = await ask({ ...asked, allowOrigins: ['http://page.example'] });
    expect([reply.status, String(reply.body)]).toEqual([204, '']);
    const headers = new Map(reply.headers);
    expect(headers.get('Access-Control-Allow-Origin')).toBe('http://page.example');
    expect(headers.get('Vary')).toBe('Origin');
    expect(headers.get('Access-Control-Allow-Headers')).toContain('Authorization');
    const { reply: refused } = await ask(asked);
    expect(refused.status).toBe(403);
    expect(refused.headers.map(([name]) => name).join()).not.toMatch(/access-control/i);
  });
});

describe('makeHandler: refusals', () => {
  const door = doorWith(['s3cret']);

  it.each([
    ['no token', [], 'this server wants a token'],
    ['another token', [['authorization', 'Bearer wr0ng']], 'the token is not known here'],
  ] as const)('refuses %s, and does nothing', async (_, headers, message) => {
    const { reply, body } = await ask({ body: command('quit'), headers, door });
    expect(reply.status).toBe(401);
    expect(new Map(reply.headers).get('WWW-Authenticate')).toBe('Bearer');
    expect(body).toEqual({
      ...{ status: false, RESTheader: '', RESTverb: '', action: '', path: '' },
      receivedByServer: [],
      error: { code: 'unauthorized', message, hint: expect.any(String) },
    });
    expect(host.quits()).toBe(0);
  });

  it('obeys who has the token, and does not show it', async () => {
    const headers = [['Authorization', 'Bearer s3cret']] as const;
    const { reply, body } = await ask({ body: command('quit'), headers, door });
    expect(body).toMatchObject({ status: true, d_ret: {} });
    expect(String(reply.body)).not.toContain('s3cret');
    expect(host.quits()).toBe(1);
  });

  it.each([
    ['', 'the request has no body'],
    [' \n', 'the request has no body'],
    ['{', 'the body is not JSON'],
    ['[]', 'the body is not a JSON object'],
    ['{"payload": {}}', '"payload.action" is missing'],
    [command('nosuch'), 'there is no action "nosuch"'],
    [command('constructor'), 'there is no action "constructor"'],
    [command('RUN'), 'there is no action "RUN"'],
    [command('run', { jid: 1 }), 'run: "meta.cmd": is missing; "meta.auid": is missing'],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'the body is not UTF-8 text'],
  ])('refuses the body %j: %s', async (body, message) => {
    const { reply, body: answer } = await ask({ body });
    expect(reply.status).toBe(400);
    expect(answer).toMatchObject({ status: false, error: { code: 'bad_request' } });
    expect((answer.error as { message: string }).message).toContain(message);
  });

  it('tells what it knows of a refused command', async () => {
    const { body } = await ask({ body: command('nosuch', { a: 1 }) });
    expect(Object.keys(body)).toEqual([...ECHO, ...PAYLOAD, 'meta', 'error']);
    expect(body).toMatchObject({ action: 'nosuch', meta: { a: 1 } });
  });

  it.each(['DELETE', 'PATCH', 'get', 'post', 'TRACE'])('refuses the verb %s', async (method) => {
    const { reply, body } = await ask({ method, body: command('hello') });
    expect(reply.status).toBe(400);
    expect(body.status).toBe(false);
  });

  it('does not look at the body of OPTIONS', async () => {
    for (const body of ['{', command('quit'), '[]'.repeat(10)]) {
      const { reply, body: answer } = await ask({ method: 'OPTIONS', body });
      expect(reply.status).toBe(200);
      expect(answer).toMatchObject({ status: false, client_json_payload: body });
    }
    expect(host.quits()).toBe(0);
  });

  it.each(['DELETE', 'PATCH', 'GET'])('reads quit with %s as done, and goes on', async (method) => {
    const { reply, body } = await ask({ method, target: '/', body: command('quit') });
    expect(reply.status).toBe(200);
    expect(body).toMatchObject({ status: true, action: '' });
    expect(host.quits()).toBe(0);
  });

  it('answers 500 without a word of what went wrong inside', async () => {
    const failing = {
      ...host.services,
      shutDown: () => {
        throw new TypeError('s3cret path');
      },
    };
    host = { ...host, services: failing };
    const { reply, body } = await ask({ body: command('quit') });
    expect(reply.status).toBe(500);
    expect(body).toMatchObject({ status: false, error: { code: 'internal' } });
    expect(String(reply.body)).not.toContain('s3cret path');
  });

  it('answers whatever it is sent', async () => {
    const handler = makeHandler({
      services: host.services,
      listeners: new Listeners(1),
      door: OPEN_DOOR,
      audit: NO_AUDIT,
      httpMode: true,
      pages: { allowOrigins: [], allowHosts: [], hasTokens: false },
      ...FIGURES,
    });
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.jsonValue().map((meta) => JSON.stringify({ payload: { action: 'search', meta } })),
    );
    const method = fc.constantFrom('GET', 'PUT', 'POST', 'HEAD', 'OPTIONS', 'X');
    await fc.assert(
      fc.asyncProperty(method, fc.webPath(), text, async (verb, target, body) => {
        const reply = await handler({
          method: verb,
          target,
          httpVersion: '1.0',
          rawHeaders: [],
          authorization: undefined,
          body: Buffer.from(body),
          signal: new AbortController().signal,
        });
        expect([200, 400, 404]).toContain(reply.status);
        expect(JSON.parse(String(reply.body))).toMatchObject({ RESTverb: verb });
      }),
    );
  });
});

describe('makeHandler: the page', () => {
  it.each([
    ['/ui', OPEN_DOOR, true],
    ['/ui/', OPEN_DOOR, true],
    ['/ui?q=x', OPEN_DOOR, false],
    ['/ui/server', OPEN_DOOR, false],
    ['/ui/icon.svg', OPEN_DOOR, false],
    ['/ui', doorWith(['s3cret']), false],
  ])(
    'tells what %s will ask for where that is known, and may be asked',
    async (target, door, isTold) => {
      const reply = await answer({ method: 'GET', target, door });
      expect(reply.status).toBe(200);
      const link = new Map(reply.headers).get('Link');
      if (isTold)
        expect(link).toMatch(/^<\/api\/v2\/jobs\?[^>]+>; rel=preload; as=fetch; crossorigin$/);
      else expect(link).toBeUndefined();
    },
  );
});

describe('makeHandler: PUT', () => {
  it('works on the database with the action run', async () => {
    host.addEnded('a', 'me', 0);
    const meta = { context: 'DB', operation: 'clear' };
    const { body } = await ask({ method: 'PUT', body: command('run', meta) });
    expect(Object.keys(body)).toEqual([...ECHO, ...PAYLOAD]);
    expect(body).toMatchObject({ status: true, action: 'run' });
    expect([...host.services.database.roots()]).toEqual([]);
  });

  it('copies the jobs that key and value name, and leaves the others alone', async () => {
    const [a, b] = [host.addEnded('a', 'me', 0), host.addEnded('b', 'me', 0)];
    const meta = { context: 'db', dbpath: 'copy', key: 'jid', value: 'a' };
    await ask({ method: 'PUT', body: command('run', meta) });
    expect([...host.services.database.roots()]).toEqual([a, b]);
    await ask({ method: 'PUT', body: command('run', { context: 'db', operation: 'clear' }) });
    const load = { context: 'db', operation: 'load', dbpath: 'copy' };
    await ask({ method: 'PUT', body: command('run', load) });
    expect([...host.services.database.roots()]).toEqual([a]);
  });

  it('does nothing in another context, and with quit', async () => {
    const root = host.addEnded('a', 'me', 0);
    const other = { context: 'x', operation: 'clear' };
    expect((await ask({ method: 'PUT', body: command('run', other) })).body.status).toBe(true);
    expect((await ask({ method: 'PUT', body: command('quit') })).body.status).toBe(true);
    expect(host.quits()).toBe(0);
    expect([...host.services.database.roots()]).toEqual([root]);
  });
});
