import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { command, endServer, replyOf, resultOf, untilEnded } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

jest.setTimeout(120_000);

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OTHER = '00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00';
const SHOW = 'echo "$TRACEPARENT|$TRACESTATE"';

describe('the trace that a request belongs to', () => {
  let server: TestServer;

  afterEach(() => endServer(server));

  async function outputOf(client: ApiClient, id: string) {
    await client.job(id, '?wait=30s');
    return String((await client.send('GET', `/api/v2/jobs/${id}/stdout`)).body);
  }

  it('is kept with its job, and given to it', async () => {
    server = await startServer();
    const client = new ApiClient(server);
    const headers = { traceparent: PARENT, tracestate: 'rojo=1, congo=2', 'Idempotency-Key': 'k' };
    const { id, traceparent, tracestate } = await client.submit({ command: SHOW }, headers);
    expect([traceparent, tracestate]).toEqual([PARENT, 'rojo=1,congo=2']);
    expect(await outputOf(client, id)).toBe(`${PARENT}|rojo=1,congo=2\n`);
    // Sent again, as a client that got no answer does: each try is a span of its own.
    const again = await client.submit({ command: SHOW }, { ...headers, traceparent: OTHER });
    expect([again.id, again.traceparent]).toEqual([id, PARENT]);
    await server.restart();
    expect((await new ApiClient(server).job(id)).traceparent).toBe(PARENT);
  });

  it('is that of an envelope, too; what a job is given by name wins', async () => {
    server = await startServer();
    const body = command('run', {
      ...{ cmd: SHOW, auid: 'a', jid: 'j', threaded: true, env: { TRACESTATE: 'mine=1' } },
    });
    const headers = { TraceParent: PARENT, tracestate: 'a=1' };
    const answer = await server.request('POST', '/api/v1/cmd', { body, headers });
    expect(replyOf(answer).status).toBe(true);
    await untilEnded(server, 'j');
    expect((await resultOf(server, 'j')).stdout).toEqual([`${PARENT}|mine=1\n`]);
  });

  it('is none when it is malformed', async () => {
    server = await startServer({ env: { TRACEPARENT: undefined, TRACESTATE: undefined } });
    const client = new ApiClient(server);
    const { id, traceparent, tracestate } = await client.submit(
      { command: SHOW },
      { traceparent: `${PARENT}-and-more`, tracestate: 'a=1' },
    );
    expect([traceparent, tracestate]).toEqual([null, null]);
    expect(await outputOf(client, id)).toBe('|\n');
  });
});
