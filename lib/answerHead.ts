import type { ClientRequest, IncomingMessage } from 'node:http';

/** An answer that goes on in another protocol than HTTP, which nobody here has asked for. */
export class SwitchedProtocol extends Error {
  /** Of "101 Switching Protocols". */
  readonly status = 101;

  constructor() {
    super('it answers 101: it goes on in another protocol than HTTP');
    this.name = 'SwitchedProtocol';
  }
}

/**
 * Says what comes of a request: one of both functions is called. Node alone would keep silent about an answer of
 * 101: it cuts the connection, with neither an answer nor an error.
 * @param fail called for each error, also behind the answer
 */
export function heedAnswer(
  outgoing: ClientRequest,
  take: (answer: IncomingMessage) => void,
  fail: (error: Error) => void,
): void {
  let isAnswered = false;
  const refuse = (answer: IncomingMessage) => {
    isAnswered = true;
    const error = new SwitchedProtocol();
    // The connection is that of the answer now: to break the request off would leave it open.
    answer.socket.destroy();
    outgoing.destroy();
    fail(error);
  };
  outgoing.once('upgrade', refuse);
  outgoing.once('response', (answer) => {
    // One that does not say what it changes to.
    if (answer.statusCode === 101) return refuse(answer);
    isAnswered = true;
    take(answer);
  });
  outgoing.on('error', fail);
  outgoing.once('close', () => {
    if (!isAnswered) fail(new Error('the connection was closed without an answer'));
  });
}

/** The head of the answer to a request. Errors behind it are those of whoever reads it. @throws SwitchedProtocol */
export function answerHead(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => heedAnswer(outgoing, resolve, reject));
}
