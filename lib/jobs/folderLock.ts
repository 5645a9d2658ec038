import { rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { socketPath } from '../../crunner/runnerProtocol.ts';
import { PmanError, systemErrorCode } from '../errors.ts';

/**
 * Takes a folder for this process alone, by a Unix socket in it: it answers while its owner lives, however that ends.
 * @throws PmanError conflict when another process has the folder
 */
export async function lockFolder(folder: string): Promise<{ release(): void }> {
  const path = socketPath(folder, 'pman');
  if (await answers(path)) {
    throw new PmanError('conflict', `the database is in use: another pman works in ${folder}`, {
      hint: 'stop it, or give this one another --DBpath',
    });
  }
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.unref();
  return { release: () => void server.close() };
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}
