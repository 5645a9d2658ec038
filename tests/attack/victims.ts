import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endServer } from '../helpers/pman.ts';
import { type StartOptions, startServer, type TestServer } from '../helpers/startServer.ts';
import { Opened, type Program } from '../helpers/transfer.ts';

/** Starts a pman for one attack, and ends it with all that it has started. */
export async function withPman<T>(
  options: StartOptions,
  attack: (server: TestServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(options);
  try {
    return await attack(server);
  } finally {
    await endServer(server);
  }
}

export interface FileServer extends Program {
  readonly port: number;
  readonly store: string;
  /** The folder that the store is in: nobody may reach it. */
  readonly outer: string;
}

/** Starts a pfioh with a store for one attack, and ends it. */
export async function withPfioh<T>(
  flags: readonly string[],
  attack: (server: FileServer) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const opened = new Opened();
  try {
    const outer = opened.folder();
    const store = join(outer, 'store');
    mkdirSync(store);
    const server = await opened.pfioh(['--storeBase', store, ...flags], { env });
    const { port } = new URL(`http://${server.address}`);
    return await attack({ ...server, port: Number(port), store, outer });
  } finally {
    await opened.close();
  }
}
