import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** So many requests may wait on a connection. Clients of a file server send one, and the next one after its answer. */
export const MAX_WAITING = 16;

type Serve = (request: IncomingMessage, response: ServerResponse) => void;
interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What a client has sent ahead on a connection. */
interface Line {
  readonly waiting: Arrived[];
  /** Too much came: what follows is not looked at. */
  isClosed: boolean;
}

/**
 * Has the requests of a connection served one after the other, with a turn of the event loop between two: Node hands on
 * all that a client has sent ahead at once, and thousands in a row would keep all others waiting. With more than may wait
 * the connection is closed after the answers to those before: a client asks again on another one (RFC 9112, 9.3.2).
 */
export function oneByOne(serve: Serve): Serve {
  const lines = new WeakMap<Socket, Line>();
  const begin = ({ request, response }: Arrived): void => {
    response.once('close', () => setImmediate(next, request.socket, response));
    serve(request, response);
  };
  const next = (socket: Socket, before: ServerResponse): void => {
    // Who is told that the connection closes is told that nothing more was done (RFC 9112, 9.6).
    if (before.getHeader('connection') === 'close') return;
    const first = lines.get(socket)?.waiting.shift();
    if (socket.destroyed || first === undefined) lines.delete(socket);
    else begin(first);
  };
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket);
    if (line === undefined) {
      lines.set(socket, { waiting: [], isClosed: false });
      begin({ request, response });
    } else if (!line.isClosed && line.waiting.length < MAX_WAITING) {
      line.waiting.push({ request, response });
    } else if (!line.isClosed) {
      line.isClosed = true;
      // Node closes the connection behind this answer. Until then it would read on behind each request.
      line.waiting.at(-1)?.response.setHeader('Connection', 'close');
      socket.pause();
      socket.resume = () => socket;
    }
  };
}
