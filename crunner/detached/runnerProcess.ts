import { chmodSync, closeSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { holdIfThere } from '../../lib/host/heldFolders.ts';
import { keepDescriptors } from '../../lib/host/keptDescriptors.ts';
import { SpentMemory } from '../../lib/host/spentMemory.ts';
import { strangerCheck, strangerWords } from '../../lib/host/strangers.ts';
import { closeGroups } from './confinement.ts';
import { isOther } from './handover.ts';
import { moveTo, type Place } from './place.ts';
import { Runner } from './runner.ts';
import { RunnerNews } from './runnerNews.ts';
import { type FromRunner, lineReader, runnerSocket, type ToRunner } from './runnerProtocol.ts';

/**
 * The process that runs a server's jobs, in a session of its own: it goes on when the server ends, is killed or
 * is replaced, and takes up with the next one. It ends by itself when nobody is connected and nothing runs.
 * Started as `node runnerProcess.js <spool folder>`.
 */

/** How long a runner without jobs waits for a server. */
const LONELY_MS = 2000;

async function main(spool: string): Promise<void> {
  // What ends the server (a terminal's Ctrl-C, a service manager's SIGTERM to the group) does not end its jobs.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  // A pman keeps its own, but whoever uses it as a module may not. Nothing but the streams is meant for the runner.
  for (const fd of await keepDescriptors()) closeSync(fd);
  // Who moves it does not end what runs: the jobs go on there.
  holdIfThere(spool);
  const strangerAt = await strangerCheck();
  const path = runnerSocket(spool);
  const servers = new Set<Socket>();
  const news = new RunnerNews((lines) => {
    for (const socket of servers) socket.write(lines);
  });
  const spent = new SpentMemory();
  spent.worked(); // the start is work, too
  const runner = new Runner((event) => {
    spent.worked();
    news.tell(event);
  });
  let lonely: NodeJS.Timeout | undefined;
  let own: number | undefined;
  const socketNumber = () => statSync(path, { throwIfNoEntry: false })?.ino;

  /** Ends the process soon, unless somebody connects or something runs by then. */
  function checkLonely(): void {
    clearTimeout(lonely);
    if (servers.size > 0 || runner.isBusy) return;
    lonely = setTimeout(leave, LONELY_MS);
  }

  function leave(): never {
    // Unless a later runner has taken the place.
    if (socketNumber() === own) {
      rmSync(path, { force: true });
      closeGroups(spool);
    }
    process.exit(0);
  }

  /** A server that hands other things down starts a runner of its own, which has them from it. */
  function isOfOther({ pid, inheritance }: Place): boolean {
    return pid !== process.ppid && inheritance !== undefined && isOther(inheritance);
  }

  function obey(order: ToRunner): void {
    spent.worked();
    switch (order.do) {
      case 'serve':
        if (!runner.isBusy && isOfOther(order.place)) leave();
        moveTo(order.place);
        runner.sweep(spool);
        return;
      case 'run':
        void runner.run(order.folder).finally(checkLonely);
        return;
      case 'pass':
        runner.pass(order.folder, order.signal);
        return;
      case 'kill':
        runner.kill(order.folder, order.request);
        return;
    }
  }

  const server = createServer((socket) => {
    const stranger = strangerAt(socket);
    if (stranger !== undefined) {
      socket.destroy();
      const words = strangerWords(stranger, path);
      if (words !== undefined) console.error(words);
      return;
    }
    // What happened before is in the journals, where a new server finds it.
    news.flush();
    servers.add(socket);
    clearTimeout(lonely);
    socket.setEncoding('utf8');
    socket.write(`${JSON.stringify({ kind: 'ready' } satisfies FromRunner)}\n`);
    socket.on('data', lineReader(obey));
    // A server that was killed leaves a broken connection: it has ended, like one that closed it.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      servers.delete(socket);
      checkLonely();
    });
  });
  // Another runner has the socket: it is the one, this one is not needed.
  server.on('error', () => process.exit(3));
  server.listen(path, () => {
    chmodSync(path, 0o600);
    own = socketNumber();
    checkLonely();
  });
}

const [spool] = process.argv.slice(2);
if (spool === undefined) {
  console.error('usage: runnerProcess <spool folder>');
  process.exit(2);
}
void main(spool);
