import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const JOBS = '/api/v2/jobs';
const SCHEMA = 'see /openapi.json';

/** A request of /api/v2 that is refused: what it is, its status and code, what is said, and what to do. */
type Row = readonly [
  method: string,
  path: string,
  body: string,
  status: number,
  code: string,
  detail: string,
  hint: string,
];

const OF_API: readonly Row[] = [
  [
    'POST',
    JOBS,
    '{',
    400,
    'bad_request',
    'the body is not JSON: …',
    'send one JSON object, such as {"command": "echo hello"}; see /openapi.json',
  ],
  ['POST', JOBS, '[]', 400, 'bad_request', 'the body: has to be an object', SCHEMA],
  ['POST', JOBS, '{}', 400, 'bad_request', 'the body: "command" is missing', SCHEMA],
  [
    'POST',
    JOBS,
    '{"command": "x", "timeot": 5}',
    400,
    'bad_request',
    'the body: there is no "timeot"; is "timeout" meant?',
    SCHEMA,
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "timeout": "soon"}',
    400,
    'bad_request',
    'the body: "timeout" has to be a number',
    SCHEMA,
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "memory": "lots"}',
    400,
    'bad_request',
    'the body: "memory": is not like 512Mi',
    SCHEMA,
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "backend": "moon"}',
    400,
    'bad_request',
    'the body: "backend" is none of host, swarm, docker, kubernetes',
    SCHEMA,
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "cwd": "here"}',
    400,
    'bad_request',
    'the body: "cwd": "here" is no folder of this host',
    'name an absolute path that exists',
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "ssh": "host"}',
    403,
    'forbidden',
    'the body: "ssh": this server sends no jobs to other hosts',
    'start pman with --sshHosts to allow it',
  ],
  [
    'POST',
    JOBS,
    '{"command": "x", "notify": [{"url": "https://x.example"}]}',
    403,
    'forbidden',
    'this server sends no webhooks',
    'its operator can allow hosts with --notifyHosts',
  ],
  [
    'GET',
    `${JOBS}/nope`,
    '',
    404,
    'not_found',
    'there is no job nope',
    'GET /api/v2/jobs lists the jobs',
  ],
  [
    'GET',
    `${JOBS}?state=done`,
    '',
    400,
    'bad_request',
    'the query: "state.0" is none of waiting, …',
    SCHEMA,
  ],
  ['GET', `${JOBS}?sate=failed`, '', 400, 'bad_request', 'the query: there is no "sate"…', SCHEMA],
  ['GET', '/api/v2/nothing', '', 404, 'not_found', 'there is no /api/v2/nothing', SCHEMA],
  ['PUT', JOBS, '{}', 405, 'bad_request', 'this path takes POST, GET, HEAD, and not PUT', SCHEMA],
  [
    'GET',
    '/api/v2/events?after=99999',
    '',
    410,
    'gone',
    'the events end with 0: 99999 is of another log',
    'look at the jobs anew, and go on after 0',
  ],
];

const act = (action: string, meta: object) => JSON.stringify({ payload: { action, meta } });
const FORM = 'the form is {"payload": {"action": "<name>", "meta": {…}}}';

const OF_ENVELOPE: readonly Row[] = [
  [
    'POST',
    '/',
    '{',
    400,
    'bad_request',
    'the body is not JSON: …',
    'send one JSON object: {"payload": …}',
  ],
  ['POST', '/', '{}', 400, 'bad_request', 'the body has no "payload"', FORM],
  ['POST', '/', '{"payload": {}}', 400, 'bad_request', '"payload.action" is missing', FORM],
  [
    'POST',
    '/',
    act('rum', {}),
    400,
    'bad_request',
    'there is no action "rum"',
    'actions are run, …',
  ],
  [
    'POST',
    '/',
    act('run', { cmd: 5, auid: 'a', jid: 'j' }),
    400,
    'bad_request',
    'run: "meta.cmd": is not a string',
    '"meta" of run may have cmd, …',
  ],
  [
    'POST',
    '/',
    act('delete', { key: 'jid', value: 'nope' }),
    404,
    'not_found',
    'no job has jid "nope"',
    'GET /api/v1 lists the jobs',
  ],
  [
    'POST',
    '/',
    act('DBctl', { do: 'save', dbpath: '/etc/x' }),
    403,
    'forbidden',
    'dbpath "/etc/x" is outside the export folder',
    'name a folder below it, …',
  ],
  [
    'GET',
    '/api/v1/nope/stdout',
    '',
    404,
    'not_found',
    'there is no job nope',
    'GET /api/v1 lists the jobs',
  ],
  [
    'GET',
    '/api/v1?nosuch=1',
    '',
    400,
    'bad_request',
    'the query of the list: there is no parameter "nosuch"',
    'parameters are auid, …',
  ],
];

/** `…` is any text. */
const like = (text: string): unknown =>
  expect.stringMatching(
    new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*')}$`),
  );

describe('a request that is refused', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it.each(OF_API)('%s %s %s: says what is wrong, and what to do', async (...row) => {
    const [method, path, body, status, code, detail, hint] = row;
    const answer = await server.request(method, path, body === '' ? {} : { body });
    expect({ status: answer.status, ...(answer.json() as object) }).toMatchObject({
      ...{ status, code, detail: like(detail), hint: like(hint) },
    });
  });

  it.each(OF_ENVELOPE)('%s %s %s: says so in its error', async (...row) => {
    const [method, path, body, status, code, message, hint] = row;
    const answer = await server.request(method, path, body === '' ? {} : { body });
    const { error } = answer.json() as { readonly error: unknown };
    expect({ status: answer.status, error }).toEqual({
      status,
      error: { code, message: like(message), hint: like(hint) },
    });
  });
});
