import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { httpTransport } from '../../../../lib/verbs/httpTransport.ts';
import { eventually } from '../../../helpers/eventually.ts';

it('holds as many requests at once as there are jobs to follow', async () => {
  let open = 0;
  const server = createServer(() => {
    open += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const send = httpTransport();
  const sending = { method: 'GET', headers: {}, signal: stop.signal };
  const asked = Array.from({ length: 100 }, () => send(url, sending).catch(() => {}));
  try {
    await eventually(() => open === 100);
  } finally {
    stop.abort();
    await Promise.all(asked);
    server.close();
  }
  expect(open).toBe(100);
});
