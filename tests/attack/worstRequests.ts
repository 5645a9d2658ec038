import type { Program } from '../../lib/access/scopes.ts';
import { requestBytes } from '../helpers/http.ts';

/** A request that costs as much as its sender can make it cost. */
export interface WorstRequest {
  readonly name: string;
  readonly to: Program;
  /** How many of it come at once. */
  readonly times?: number;
  /** Its end never comes: the server is left with it. */
  readonly unfinished?: boolean;
  bytes(): Buffer;
}

const MIB = 1024 * 1024;
const fill = (text: string, bytes: number) => text.repeat(Math.ceil(bytes / text.length));
const list = (item: string, bytes: number) => `[${fill(`${item},`, bytes)}0]`;
const names = (count: number, value = '0') =>
  `{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":${value}`).join(',')}}`;

const post = (body: string | Buffer, path = '/api/v1/cmd', type = 'application/json') =>
  requestBytes('POST', path, { body, headers: { Host: 'localhost', 'Content-Type': type } });
const asked = (action: string, meta: string) => `{"payload":{"action":"${action}","meta":${meta}}}`;
const hello = (meta: string) => post(asked('hello', meta));
const run = (more: string) => post(asked('run', `{"cmd":"true","auid":"a","jid":"j",${more}}`));
const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  requestBytes('GET', path, { headers: { Host: 'localhost', ...headers } });
const chunked = (chunk: string, count: number) =>
  Buffer.from(
    `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${`${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(count)}0\r\n\r\n`,
  );
const manyHeaders = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i.toString(36)}`, '']));

type Made = readonly [name: string, bytes: () => Buffer];
const PMAN: readonly Made[] = [
  ['1.3 million short members, 13 MiB', () => hello(names(1_300_000))],
  ['an array of 66 MiB', () => hello(list('0', 66 * MIB))],
  ['an array of 15 MiB', () => hello(list('0', 15 * MIB))],
  ['5 million empty objects, 15 MiB', () => hello(list('{}', 15 * MIB))],
  ['99,000 members, 15 MiB', () => hello(names(99_000, `"${'x'.repeat(145)}"`))],
  ['one member 500,000 times', () => hello(`{${fill('"a":{"b":[]},', 7 * MIB)}"a":0}`)],
  ['arrays in arrays, 8 MiB', () => hello(fill('[', 8 * MIB))],
  ['objects in objects, 12 MiB', () => hello(fill('{"a":', 12 * MIB))],
  ['a text of 15 MiB', () => hello(`"${fill('x', 15 * MIB)}"`)],
  ['a text of 15 MiB outside ASCII', () => hello(`"${fill('é', 7 * MIB)}"`)],
  ['a text of 15 MiB of escapes', () => hello(`"${fill('\\u00e9\\n', 15 * MIB)}"`)],
  ['a text of 15 MiB of halves of pairs', () => hello(`"${fill('\\ud83d', 15 * MIB)}"`)],
  ['a text of 15 MiB without an end', () => hello(`"${fill('\\\\', 15 * MIB)}`)],
  ['15 MiB of bytes that are no UTF-8', () => post(Buffer.alloc(15 * MIB, 0xff))],
  ['15 MiB of blanks', () => post(fill(' \n', 15 * MIB))],
  ['a number of 15 MiB', () => hello(fill('9', 15 * MIB))],
  ['an exponent of 15 MiB', () => hello(`1e${fill('0', 15 * MIB)}1`)],
  [
    '15 MiB that are wrong at the end',
    () => hello(`${list('"x"', 1 * MIB)}${fill(' ', 14 * MIB)}!`),
  ],
  ['an echo of 15 MiB', () => hello(`{"askAbout":"echoBack","echoBack":"${fill('é', 7 * MIB)}"}`)],
  [
    'a form of 15 MiB',
    () => post(`payload=${fill('%7B%22', 15 * MIB)}`, '/', 'application/x-www-form-urlencoded'),
  ],
  [
    'a run with 30,000 wrong mounts',
    () =>
      run(
        `"container":{"target":{"image":"i","mounts":${list('{"a":1}', 240_000)}},"manager":{"image":"m","env":{}}}`,
      ),
  ],
  ['a run with 99,000 wrong variables', () => run(`"env":${names(99_000, '[]')}`)],
  [
    'a run with 5,000 wrong variables, each 300 long',
    () => run(`"env":${names(5000, `["${'x'.repeat(300)}"]`)}`),
  ],
  [
    'a run with a command of 15 MiB',
    () => post(asked('run', `{"auid":"a","jid":"j","cmd":"${fill('x', 15 * MIB)}"}`)),
  ],
  [
    'a run with a quoted command of 900 KiB',
    () =>
      post(
        asked('run', `{"auid":"a","jid":"j","threaded":true,"cmd":": '${fill('$(', 900_000)}'"}`),
      ),
  ],
  [
    'a run with 900 KiB of open brackets',
    () =>
      post(asked('run', `{"auid":"a","jid":"j","threaded":true,"cmd":"${fill('$(', 900_000)}"}`)),
  ],
  [
    'a run with 900 KiB of nested groups',
    () =>
      post(asked('run', `{"auid":"a","jid":"j","threaded":true,"cmd":"${fill('( ', 900_000)}"}`)),
  ],
  [
    'a run with 900 KiB of here documents',
    () =>
      post(
        asked('run', `{"auid":"a","jid":"j","threaded":true,"cmd":"${fill('cat <<a ', 900_000)}"}`),
      ),
  ],
  [
    'a search with a value of 15 MiB',
    () => post(asked('search', `{"key":"jid","value":"${fill('x', 15 * MIB)}"}`)),
  ],
  [
    'a get of a path of 1 MiB of names',
    () => post(asked('get', `{"path":"${fill('/a', 900_000)}"}`)),
  ],
  ['a job for /api/v2 with 99,000 wrong members', () => post(names(99_000, '[]'), '/api/v2/jobs')],
  [
    'a job for /api/v2 of 15 MiB',
    () => post(`{"command":"${fill('é', 7 * MIB)}"}`, '/api/v2/jobs'),
  ],
  ['a head of 16 KiB of headers', () => get('/api/v1', manyHeaders(2400))],
  ['a head of 64 KiB of headers', () => get('/api/v1', manyHeaders(9000))],
  ['a query of 15 KiB of parameters', () => get(`/api/v1?${fill('a=%7B&', 15_000)}`)],
  ['a query of 64 KiB', () => get(`/api/v1?jid=${fill('%20', 65_536)}`)],
  ['a path of 15 KiB of names', () => get(`/api/v1${fill('/a', 15_000)}`)],
  ['a path of 15 KiB of percent signs', () => get(`/api/v1/${fill('%2e%2e%2f', 15_000)}`)],
  ['100,000 chunks of a byte', () => chunked(' ', 100_000)],
  [
    'a search for a path of 120 KiB of slashes',
    () => post(asked('search', `{"key":"jid","value":"j","path":"${fill('/', 120_000)}"}`)),
  ],
  [
    'a search with a key of 1 MiB',
    () => post(asked('search', `{"key":"${fill('/a', 1_000_000)}","value":"j"}`)),
  ],
  [
    '10,000 requests in one piece',
    () => Buffer.concat(Array.from({ length: 10_000 }, () => get('/nowhere'))),
  ],
];

const message = (action: string, meta: string) => `{"action":"${action}","meta":${meta}}`;
const form = (parts: string, length?: number) => {
  const head =
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n';
  return Buffer.from(`${head}Content-Length: ${length ?? parts.length}\r\n\r\n${parts}`);
};
const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const urlencoded = 'application/x-www-form-urlencoded';
const PFIOH: readonly Made[] = [
  ['a message of 15 MiB of short members', () => post(message('hello', names(1_400_000)), '/')],
  ['a message of an array of 15 MiB', () => post(message('ls', list('0', 15 * MIB)), '/')],
  [
    'a message with a text of 15 MiB',
    () => post(message('ls', `{"path":"${fill('é', 7 * MIB)}"}`), '/'),
  ],
  [
    'a message of 15 MiB of escapes',
    () => post(message('ls', `{"path":"${fill('\\u00e9', 15 * MIB)}"}`), '/'),
  ],
  ['a message of arrays in arrays', () => post(message('ls', fill('[', 15 * MIB)), '/')],
  ['a message of 15 MiB of blanks', () => post(fill(' ', 15 * MIB), '/')],
  ['15 MiB that are no JSON', () => post(fill('x', 15 * MIB), '/')],
  [
    'a path of 900 KiB of names',
    () => post(message('ls', `{"path":"${fill('a/', 900_000)}"}`), '/'),
  ],
  [
    'a form of 15 MiB of percent signs',
    () => post(`d_msg=${fill('%7B%22', 15 * MIB)}`, '/', urlencoded),
  ],
  ['a form of 15 MiB of fields', () => post(fill('a&', 15 * MIB), '/', urlencoded)],
  [
    'a form of a field of 15 MiB and a message',
    () =>
      post(
        `d_msg=${encodeURIComponent(message('ls', '{}'))}&x=${fill('x', 15 * MIB)}`,
        '/',
        urlencoded,
      ),
  ],
  ['a form of 100,000 parts', () => form(`${part('a', '').repeat(100_000)}--b--\r\n`)],
  ['a form whose part has a head of 15 MiB', () => form(`--b\r\n${fill('A: b\r\n', 15 * MIB)}`)],
  [
    'a form whose part has one line of 15 MiB',
    () => form(`--b\r\nContent-Disposition: ${fill('form-data; name="', 15 * MIB)}`),
  ],
  [
    'a form with a field of 4 MiB of message',
    () => form(`${part('d_msg', message('ls', list('{}', 3 * MIB)))}--b--\r\n`),
  ],
  [
    'a form of a literal of 4 MiB',
    () =>
      form(`${part('d_msg', `{'action': 'ls', 'meta': ${list("'\\\\x41'", 3 * MIB)}}`)}--b--\r\n`),
  ],
  [
    'a form of nearly boundaries',
    () =>
      form(
        `--b\r\nContent-Disposition: form-data; name="local"; filename="f"\r\n\r\n${fill('\r\n--', 15 * MIB)}`,
      ),
  ],
  ['a query of 15 KiB of literal', () => get(`/?meta=${fill('%5B', 15_000)}`)],
  ['a query of 64 KiB', () => get(`/?meta=${fill('%7B', 65_536)}`)],
  ['a head of 64 KiB of headers', () => get('/', manyHeaders(9000))],
  [
    'a key of 900 KiB of slashes',
    () => post(message('ls', `{"key":"${fill('/', 900_000)}"}`), '/'),
  ],
  [
    '10,000 requests in one piece',
    () => Buffer.concat(Array.from({ length: 10_000 }, () => get('/nowhere'))),
  ],
];

const UNFINISHED: WorstRequest = {
  ...{ name: 'eight forms of 31 fields of 4 MiB, never finished', to: 'pfioh', times: 8 },
  unfinished: true,
  bytes: () => form(part('f', 'x'.repeat(4 * MIB)).repeat(31), 200 * MIB),
};

/** Each kind that has held up a server of ours, or might. */
export const WORST_REQUESTS: readonly WorstRequest[] = [
  ...PMAN.map(([name, bytes]): WorstRequest => ({ name, to: 'pman', bytes })),
  ...PFIOH.map(([name, bytes]): WorstRequest => ({ name, to: 'pfioh', bytes })),
  UNFINISHED,
];
