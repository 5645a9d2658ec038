import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { within } from '../helpers/patience.ts';
import { act, command, endServer, expectListener, replyOf } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const hello = command('hello', { askAbout: 'timestamp' });
const ACTIONS = [
  ...['run', 'status', 'done', 'info', 'search', 'get', 'result', 'kill', 'delete', 'DBctl'],
  'fileiosetup',
];

describe('a server with one listener', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: ['--listeners', '1'] });
  });
  afterAll(async () => {
    await expectListener(server);
    await endServer(server);
  });

  const send = (body: string | Uint8Array, verb = 'POST') =>
    server.request(verb, '/api/v1/cmd', { body });

  /** A refusal a program can act on: 400, valid JSON, status false, a sentence. */
  async function expectRefused(body: string | Uint8Array, verb = 'POST'): Promise<void> {
    const answer = await send(body, verb);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('"error"')]);
    const { status, error } = replyOf(answer);
    expect(status).toBe(false);
    expect(error).toMatchObject({ code: 'bad_request', message: expect.stringMatching(/\w+ \w+/) });
  }

  it.each([
    ['nothing', ''],
    ['a blank', ' '],
    ['an object without its end', '{"payload": {"action": "hello"'],
    ['single quotes', "{'payload': {'action': 'hello', 'meta': {}}}"],
    ['a comma too many', '{"payload": {"action": "hello", "meta": {},}}'],
    ['a comma too few', '{"payload": {"action": "hello" "meta": {}}}'],
    ['a key without quotes', '{payload: {"action": "hello", "meta": {}}}'],
    ['NaN', '{"payload": {"action": "hello", "meta": {"a": NaN}}}'],
    ['a number with a leading zero', '{"payload": {"action": "hello", "meta": {"a": 01}}}'],
    ['a control character in a string', '{"payload": {"action": "hel\u0001lo", "meta": {}}}'],
    ['an unknown escape', '{"payload": {"action": "\\x41", "meta": {}}}'],
    ['half a \\u escape', '{"payload": {"action": "\\u00", "meta": {}}}'],
    ['a second value behind the first', '{"payload": {"action": "hello", "meta": {}}} {}'],
    ['a comment', '{"payload": /* now */ {"action": "hello", "meta": {}}}'],
    ['a form', 'payload=%7B%22action%22%3A%22hello%22%7D'],
    ['a byte order mark', '\ufeff{"payload": {"action": "hello", "meta": {}}}'],
    ['bytes that are no UTF-8', Buffer.from('{"payload": "\xff\xfe"}', 'latin1')],
  ])('refuses a body that is %s', (_what, body) => expectRefused(body));

  it.each([
    ...['null', '1', '"hello"', '[]', '{}', '{"payload": null}', '{"payload": []}'],
    ...['{"payload": "run"}', '{"payload": {}}', '{"payload": {"meta": {}}}'],
    ...['{"payload": {"action": "hello"}}', '{"payload": {"action": 1, "meta": {}}}'],
    ...['{"payload": {"action": null, "meta": {}}}', '{"payload": {"action": [], "meta": {}}}'],
    ...[
      '{"payload": {"action": "run", "meta": null}}',
      '{"payload": {"action": "run", "meta": 1}}',
    ],
    ...['{"payload": {"action": "run", "meta": []}}', '{"payload": {"action": "", "meta": {}}}'],
  ])('refuses the envelope %s', (body) => expectRefused(body));

  it.each([
    ...[
      'HELLO',
      'Run',
      'hello ',
      'nosuch',
      'constructor',
      '__proto__',
      'toString',
      'hasOwnProperty',
    ],
    ...['hello_process', '\u0000', 'hello\u0000', '😀', 'x'.repeat(10_000)],
  ])('refuses the unknown action %j', async (action) => {
    await expectRefused(JSON.stringify(command(action, { askAbout: 'timestamp' })));
    await expectRefused(JSON.stringify(command(action, { threaded: true })));
  });

  it.each(ACTIONS)('refuses %s without its fields', (action) =>
    expectRefused(JSON.stringify(command(action, {}))),
  );

  it.each(
    ACTIONS.flatMap((action) => {
      const wrong: object[] = [];
      const right: Record<string, unknown> = {
        ...{ cmd: 'true', auid: 'a', jid: 'wrong-type' },
        ...{ key: 'jid', value: 'none', path: '/', do: 'save', serveforever: true },
      };
      const strings: Record<string, readonly string[]> = {
        ...{ run: ['cmd', 'auid', 'jid'], get: ['path'] },
        ...{
          status: ['key'],
          done: ['key'],
          info: ['key'],
          result: ['key'],
          kill: ['key', 'signal'],
        },
        ...{ search: ['key', 'path', 'field'], delete: ['key'] },
      };
      for (const field of strings[action] ?? []) {
        for (const value of [null, true, [], {}, 1.5, ['x'], 'a\0b']) {
          wrong.push({ ...right, [field]: value });
        }
      }
      return wrong.map((meta): [string, object] => [action, meta]);
    }),
  )('refuses %s with %j', async (action, meta) => {
    await expectRefused(JSON.stringify(command(action, meta)));
    const { d_ret } = replyOf(await act(server, 'search', { key: 'jid', value: 'wrong-type' }));
    expect(d_ret).toEqual({});
  });

  it.each([
    ['a container that is no object', 'run', { cmd: 'true', auid: 'a', jid: 'c', container: 'x' }],
    ['a signal that is none', 'kill', { key: 'jid', value: 'x', signal: 'NOSUCH' }],
    ['signal 0', 'kill', { key: 'jid', value: 'x', signal: 0 }],
    ['a negative grace', 'kill', { key: 'jid', value: 'x', grace: -1 }],
    ['an endless grace', 'kill', { key: 'jid', value: 'x', grace: 1e300 }],
    ['a path without a slash', 'get', { path: 'x' }],
    ['a pickle', 'DBctl', { do: 'save', fileio: 'pickle' }],
  ])('refuses %s', (_what, action, meta) => expectRefused(JSON.stringify(command(action, meta))));

  it('serves a good request after 200 bad ones', async () => {
    const bad = ['', '{', 'null', '{"payload": {"action": "run", "meta": {}}}', '\xff', '[]', '"'];
    for (let i = 0; i < 200; i += 1) {
      const answer = await send(bad[i % bad.length] ?? '');
      expect(answer.status).toBe(400);
    }
    expect(replyOf(await send(JSON.stringify(hello)))).toMatchObject({ status: true });
  });

  it('takes JSON of any layout and any content type', async () => {
    for (const body of [JSON.stringify(hello, null, 4), `\n\n${JSON.stringify(hello)}\r\n\r\n`]) {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', '', '; ;;=']) {
        const headers = { 'cOnTenT-tYpe': type };
        const answer = await server.request('POST', '/', { body, headers });
        expect(replyOf(answer)).toMatchObject({ status: true });
      }
    }
  });

  it.each([
    ['arrays', '['.repeat(100_000)],
    ['objects', '{"a":'.repeat(100_000)],
    ['closed arrays', `${'['.repeat(50_000)}1${']'.repeat(50_000)}`],
    ['a meta', `{"payload":{"action":"hello","meta":${'{"a":'.repeat(3000)}1${'}'.repeat(3002)}`],
  ])('refuses %s nested deeper than anyone needs', async (_what, body) => {
    const started = performance.now();
    await expectRefused(body);
    expect(performance.now() - started).toBeLessThan(within(3000));
  });

  it('serves others while somebody sends 15 MB of open brackets', async () => {
    let over = false;
    const hostile = send('['.repeat(15_000_000)).finally(() => {
      over = true;
    });
    let slowestMs = 0;
    while (!over) {
      const started = performance.now();
      await act(server, 'hello', { askAbout: 'timestamp' });
      slowestMs = Math.max(slowestMs, performance.now() - started);
    }
    expect((await hostile).status).toBe(400);
    expect(slowestMs).toBeLessThan(within(4000));
  });

  it('nests as deep as a client may', async () => {
    let echo: unknown = 'bottom';
    for (let i = 0; i < 300; i += 1) echo = { a: [echo] };
    echo = { ok: true };
    const answer = await act(server, 'hello', { askAbout: 'echoBack', echoBack: echo });
    expect(replyOf(answer).d_ret).toMatchObject({ echoBack: { msg: echo } });
  });

  it.each([1, 1.5])('takes prototype keys for plain ones (beside %p)', async (number) => {
    const meta = `{"askAbout": "echoBack", "n": ${number}, "__proto__": {"threaded": true}, "constructor": {"prototype": {"polluted": 1}}, "echoBack": {"__proto__": {"polluted": 1}, "toString": null}}`;
    const answer = await send(`{"payload": {"action": "hello", "meta": ${meta}}}`);
    expect(answer.status).toBe(200);
    const reply = answer.json() as Record<string, unknown>;
    expect(JSON.stringify(reply.meta)).toBe(JSON.stringify(JSON.parse(meta)));
    expect(JSON.stringify(reply.d_ret)).toContain('{"__proto__":{"polluted":1},"toString":null}');
    const after = (await act(server, 'hello', { askAbout: 'echoBack' })).json() as object;
    expect(JSON.stringify(after)).not.toContain('polluted');
  });

  it('does not take a required field from a prototype', async () => {
    const meta = '{"__proto__": {"cmd": "true", "auid": "a", "jid": "inherited"}, "n": 1.5}';
    await expectRefused(`{"payload": {"action": "run", "meta": ${meta}}}`);
    await expectRefused(`{"payload": {"__proto__": {"action": "hello", "meta": {}}, "n": 1.5}}`);
  });

  it('keeps numbers as they were sent', async () => {
    const body =
      '{"payload": {"action": "hello", "meta": {"askAbout": "echoBack", "echoBack": [12345678901234567890123, 1.0, -0.0, 1e400]}}}';
    const answer = await send(body);
    expect(answer.text.replace(/\s+/g, '')).toContain('[12345678901234567890123,1.0,-0.0,');
  });

  it('keeps text as it was sent, whatever the characters', async () => {
    const msg = 'é 中文 😀 \u2028 \ud800 \u007f \u0000 </script> \\ "';
    const answer = await act(server, 'hello', { askAbout: 'echoBack', echoBack: msg });
    expect(replyOf(answer).d_ret).toMatchObject({ echoBack: { msg } });
    expect(/^[\n\x20-\x7f]*$/.test(answer.text)).toBe(true);
  });

  it.each(['PUT', 'GET'])('refuses malformed JSON with %s', async (verb) => {
    await expectRefused('{"payload":', verb);
    await expectRefused('[]', verb);
  });
});
