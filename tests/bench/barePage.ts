import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const DOCUMENT =
  '<!doctype html><title>bare</title><script type="module" src="/rows.js"></script><table></table>';
const SCRIPT = `
  const jobs = await (await fetch('/jobs')).json();
  document.querySelector('table').innerHTML = jobs
    .map(({ id, state, command }) => '<tr><td>' + id + '<td>' + state + '<td>' + command)
    .join('');
  performance.mark('pman usable');`;
const JOBS = JSON.stringify(
  Array.from({ length: 30 }, (_, i) => ({ id: i, state: 'succeeded', command: `echo ${i}` })),
);

/**
 * The least that a page of jobs could be: thirty rows of text by one script and one request, without a style. What a browser
 * takes for it is what any page takes on this machine.
 */
export async function serveBarePage(): Promise<{ address: string; close: () => void }> {
  const types: Readonly<Record<string, readonly [string, string]>> = {
    '/': ['text/html', DOCUMENT],
    '/rows.js': ['text/javascript', SCRIPT],
    '/jobs': ['application/json', JOBS],
  };
  const server = createServer(({ url = '' }, response) => {
    const [type, body] = types[url] ?? ['text/plain', ''];
    response.setHeader('content-type', type).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}
