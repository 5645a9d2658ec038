import { createServer } from 'node:net';
import { systemErrorCode } from '../errors.ts';

const PATIENCE_MS = 2_000;

/**
 * Resolves when `port` can be bound again, or after two seconds: ZeroMQ closes its listening socket
 * in a thread of its own and does not say when it has.
 */
export async function portFreed(host: string, port: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while ((await inUse(host, port)) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function inUse(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(systemErrorCode(error) === 'EADDRINUSE'));
    const listening = () => probe.close(() => resolve(false));
    if (host === '*') probe.listen(port, listening);
    else probe.listen(port, host, listening);
  });
}
