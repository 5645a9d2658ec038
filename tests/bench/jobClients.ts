import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Has a server run jobs, as so many clients, each of which sends the next one when the last has ended (a `run` that is not
 * threaded answers then). They speak over bare sockets that stay open: they share the processors with what is measured, and
 * Node's own client of HTTP takes several times as much for a request.
 */
export async function runJobs(
  port: number,
  jobs: number,
  { clients, name }: { readonly clients: number; readonly name: string },
): Promise<void> {
  let next = 0;
  const take = () => (next < jobs ? requestOf(`${name}-${next++}`) : undefined);
  await Promise.all(Array.from({ length: Math.min(clients, jobs) }, () => client(port, take)));
}

function requestOf(jid: string): string {
  const body = JSON.stringify({
    payload: { action: 'run', meta: { cmd: 'true', auid: 'bench', jid } },
  });
  return `POST /api/v1/cmd HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function client(port: number, take: () => string | undefined): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  try {
    await exchange(socket, take);
  } finally {
    socket.destroy();
  }
}

/** Sends requests one after the other, each when the answer to the last one is there. */
function exchange(socket: Socket, take: () => string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const send = () => {
      const request = take();
      if (request === undefined) resolve();
      else socket.write(request);
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (!isWhole(answer)) return;
      if (answer.startsWith('HTTP/1.1 200 ')) {
        answer = '';
        send();
      } else reject(new Error(`the server answers ${answer.slice(0, answer.indexOf('\r\n'))}`));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server has closed a connection')));
    send();
  });
}

/** Whether an answer is there to its end: one byte is one character. */
function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const [, length] = /\r\nContent-Length: *(\d+)/i.exec(answer.slice(0, head + 2)) ?? [];
  return answer.length >= head + 4 + Number(length ?? 0);
}
