import type { Duplex } from 'node:stream';

/**
 * Ends a stream that hands on what a connection brings, behind that connection. One that has closed in order has brought
 * all that it had; a slow reader may have some of it before itself still, and gets it first.
 */
export function closeBehind(stream: Duplex, connection: Duplex): void {
  let hasAll = false;
  connection.once('end', () => {
    hasAll = true;
  });
  connection.once('error', (error) => stream.destroy(error));
  connection.once('close', () => {
    if (hasAll && !stream.readableEnded) stream.once('end', () => stream.destroy());
    else stream.destroy();
  });
}
