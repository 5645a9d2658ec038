import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunnerClient } from '../../../../crunner/detached/runnerClient.ts';
import type { RunnerEvent } from '../../../../crunner/detached/runnerEvent.ts';
import {
  lineReader,
  runnerSocket,
  type ToRunner,
} from '../../../../crunner/detached/runnerProtocol.ts';
import { silentLogger } from '../../../../lib/log.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const KILL = { signal: 'SIGTERM', graceMs: 5, cause: 'ended by a test' } as const;
const startOf = (part: number): RunnerEvent => ({
  ...{ kind: 'start', folder: '/spool/job', part, start: { pid: 5, startedAt: 1 } },
});

/** Listens where a runner does, and takes what it is told. */
class ScriptedRunner {
  readonly sockets: Socket[] = [];
  readonly orders: ToRunner[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param greeting what it says to whoever connects; undefined: it hangs up at once */
  static async listen(
    spool: string,
    greeting: string | undefined = '{"kind":"ready"}\n',
  ): Promise<ScriptedRunner> {
    const server = createServer();
    const runner = new ScriptedRunner(server);
    server.on('connection', (socket) => {
      runner.sockets.push(socket);
      socket.setEncoding('utf8');
      socket.on(
        'data',
        lineReader<ToRunner>((order) => runner.orders.push(order)),
      );
      socket.on('error', () => socket.destroy());
      if (greeting === undefined) socket.destroy();
      else socket.write(greeting);
    });
    server.listen(runnerSocket(spool));
    await once(server, 'listening');
    return runner;
  }

  tell(text: string): void {
    for (const socket of this.sockets) socket.write(text);
  }

  /** It ends, as when it is killed. */
  async end(): Promise<void> {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}

/** A runner that is killed as soon as it listens, so that its socket stays; the next one is not, until it is left. */
const KILLED_ONCE = `
  const { existsSync, writeFileSync } = require('node:fs');
  const mark = process.argv[2] + '/killed-once';
  const isSecond = existsSync(mark);
  writeFileSync(mark, '');
  const server = require('node:net').createServer((socket) => {
    socket.write('{"kind":"ready"}\\n');
    socket.on('data', () => undefined).on('close', () => process.exit());
  });
  server.on('error', () => process.exit(3));
  server.listen(process.argv[2] + '/runner.sock', () => isSecond || process.kill(process.pid, 'SIGKILL'));
`;

/** One that takes its time before it listens. */
const LATE = `
  const server = require('node:net').createServer((socket) => {
    socket.write('{"kind":"ready"}\\n');
    socket.on('data', () => undefined).on('close', () => process.exit());
  });
  setTimeout(() => server.listen(process.argv[2] + '/runner.sock'), 1000);
`;

let spool = '';
let runner: ScriptedRunner;
let client: RunnerClient;
let events: RunnerEvent[];
let losses: number;

beforeEach(() => {
  spool = join(tempDir(), 'jobs');
  mkdirSync(spool);
  events = [];
  losses = 0;
  client = new RunnerClient({
    ...{ spool, log: silentLogger() },
    onEvent: (event) => events.push(event),
    onLost: () => {
      losses += 1;
    },
  });
});
afterEach(async () => {
  client.close();
  await runner.end();
});

const hears = (count: number) => eventually(() => runner.orders.length >= count);

describe('the way to a runner', () => {
  it('hands down the place of this server before any order', async () => {
    runner = await ScriptedRunner.listen(spool);
    await client.find();
    await client.run('/spool/job');
    await client.kill('/spool/job', KILL);
    await hears(3);
    const [serve, ...orders] = runner.orders;
    expect(serve).toMatchObject({
      do: 'serve',
      place: { cwd: process.cwd(), umask: process.umask(), env: { PATH: process.env.PATH } },
    });
    expect(orders).toEqual([
      { do: 'run', folder: '/spool/job' },
      { do: 'kill', folder: '/spool/job', request: KILL },
    ]);
  });

  it('is looked for with the first order, once for many of them', async () => {
    runner = await ScriptedRunner.listen(spool);
    await Promise.all(['a', 'b', 'c'].map((folder) => client.run(folder)));
    await hears(4);
    expect(runner.sockets).toHaveLength(1);
    expect(runner.orders.slice(1)).toEqual(
      ['a', 'b', 'c'].map((folder) => ({ do: 'run', folder })),
    );
  });

  it('brings what the runner tells, in order, also right behind its first word', async () => {
    const first = `{"kind":"ready"}\n${JSON.stringify(startOf(0))}\n`;
    runner = await ScriptedRunner.listen(spool, first);
    await client.find();
    const second = `${JSON.stringify(startOf(1))}\n`;
    runner.tell(second.slice(0, 10));
    runner.tell(`${second.slice(10)}${JSON.stringify(startOf(2))}\n`);
    await eventually(() => events.length === 3);
    expect(events.map(({ part }) => part)).toEqual([0, 1, 2]);
  });

  describe('that is started', () => {
    /** One whose runner is this program. */
    function seekerOf(program: string, startLimits?: { endingMs: number; slowMs: number }) {
      const file = join(tempDir(), 'runner.cjs');
      writeFileSync(file, program);
      return new RunnerClient({
        ...{ spool: join(tempDir(), 'jobs'), program: file, log: silentLogger() },
        ...{ onEvent: () => undefined, onLost: () => undefined },
        ...(startLimits && { startLimits }),
      });
    }
    beforeEach(async () => {
      runner = await ScriptedRunner.listen(spool);
    });

    it('is another one where the first was killed once it listened, before it was found', async () => {
      const seeker = seekerOf(KILLED_ONCE);
      await expect(seeker.reach()).resolves.toBeUndefined();
      seeker.close();
    });

    it('is waited for as long as it goes on, on a machine that has little time for it', async () => {
      const seeker = seekerOf(LATE, { endingMs: 1, slowMs: 60_000 });
      await expect(seeker.reach()).resolves.toBeUndefined();
      seeker.close();
    });

    it.each([
      ['ends each time', 'process.exit(3)', { endingMs: 300, slowMs: 60_000 }],
      ['never listens', 'setTimeout(() => {}, 3000)', { endingMs: 1, slowMs: 300 }],
    ])('cannot be had where it %s, which is said', async (_, program, limits) => {
      const seeker = seekerOf(program, limits);
      await expect(seeker.reach()).rejects.toMatchObject({ code: 'unavailable' });
      seeker.close();
    });
  });

  it('says when the runner has gone, and leads to the next one', async () => {
    runner = await ScriptedRunner.listen(spool);
    await client.find();
    await runner.end();
    await eventually(() => losses > 0, { message: 'the loss to be told' });
    runner = await ScriptedRunner.listen(spool);
    await client.run('later');
    await hears(2);
    expect(runner.orders.map((order) => order.do)).toEqual(['serve', 'run']);
    expect(losses).toBe(1);
  });

  it('tells of no loss when this server leaves', async () => {
    runner = await ScriptedRunner.listen(spool);
    await client.find();
    const [socket] = runner.sockets;
    client.close();
    await eventually(() => socket?.destroyed, { message: 'the connection to be closed' });
    expect(losses).toBe(0);
  });

  it('is not there while nobody listens, or when who does hangs up before the first word', async () => {
    await client.find();
    runner = await ScriptedRunner.listen(spool, undefined);
    await client.find();
    expect(runner.sockets).toHaveLength(1);
    expect(losses).toBe(0);
    rmSync(runnerSocket(spool), { force: true });
  });
});
