import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FileServer {
  readonly name: string;
  readonly url: string;
  readonly processes: readonly number[];
  close(): Promise<void>;
}

/** The version of nginx on this machine; undefined when there is none. */
export function nginxVersion(): string | undefined {
  const { error, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return error === undefined ? /nginx\/\S+/.exec(stderr)?.[0] : undefined;
}

/**
 * Starts an nginx of its own, which serves a folder and stores what is PUT there, with what it has to keep meanwhile in
 * the same file system.
 * @param ground an empty folder for its files
 */
export async function startNginx(folder: string, ground: string): Promise<FileServer> {
  const port = await freePort();
  const temp = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  for (const name of temp) mkdirSync(join(ground, name));
  // Its workers may be another user's.
  chmodSync(ground, 0o711);
  const config = join(ground, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off;
pid ${join(ground, 'pid')};
error_log ${join(ground, 'error.log')};
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  access_log off;
  sendfile on;
  client_max_body_size 0;
  ${temp.map((name) => `${name === 'body' ? 'client_body' : name}_temp_path ${join(ground, name)};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    dav_methods PUT;
    create_full_put_path on;
  }
}
`,
  );
  const child = spawn('nginx', ['-c', config, '-e', join(ground, 'error.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const end = () => child.kill();
  process.once('exit', end);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`nginx ended: see ${ground}`);
  });
  ended.catch(() => {});
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([ended, answers(url)]);
  return {
    name: nginxVersion() ?? 'nginx',
    url,
    processes: [child.pid ?? 0, ...childrenOf(child.pid ?? 0)],
    async close() {
      process.off('exit', end);
      end();
      await ended.catch(() => {});
    },
  };
}

async function answers(url: string): Promise<void> {
  for (;;) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** A file server as plain as can be: GET sends a file, PUT stores one. */
export function startBare(folder: string): Promise<FileServer> {
  const server = createHttpServer((request, response) => {
    const path = join(folder, request.url ?? '/');
    const work =
      request.method === 'PUT'
        ? pipeline(request, createWriteStream(path)).then(() => response.end())
        : pipeline(
            createReadStream(path),
            response.setHeader('Content-Length', statSync(path).size),
          );
    work.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        name: 'node:http',
        url: `http://127.0.0.1:${port}`,
        processes: [process.pid],
        close: async () => void server.close(),
      });
    });
  });
}
