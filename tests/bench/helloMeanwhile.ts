import { Agent, request } from 'node:http';

const EVERY_MS = 2;
const body = JSON.stringify({ payload: { action: 'hello', meta: { askAbout: 'timestamp' } } });

/** How long a `hello` took at most, in milliseconds, asked again and again until some work was done. */
export async function longestHello(port: number, work: Promise<unknown>): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let longest = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined);
  while (!isDone) {
    const askedAt = performance.now();
    await hello(port, agent);
    longest = Math.max(longest, performance.now() - askedAt);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  agent.destroy();
  await done;
  return longest;
}

function hello(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, agent, method: 'POST', path: '/api/v1/cmd' }, (response) => {
      response.on('end', resolve).resume();
    });
    sent.on('error', reject).end(body);
  });
}
