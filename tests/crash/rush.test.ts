import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

// A few hundred jobs, on a machine that may be busy.
jest.setTimeout(120_000);

const JOBS = 400;
const CLIENTS = 16;

/** Most jobs say something, others nothing. */
const outputOf = (i: number) => (i % 3 === 0 ? '' : `out ${i}\n`);
const commandOf = (i: number) => (i % 3 === 0 ? 'true' : `echo out ${i}`);

/** Has jobs run by many clients, each of which waits for the end of one before it sends the next. */
async function rush(server: TestServer): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let i = next++; i < JOBS; i = next++) {
      const meta = { cmd: commandOf(i), auid: 'rush', jid: `rush-${i}` };
      expect(await server.post('run', meta)).toMatchObject({ status: true });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const folders = ({ folders: { DBpath } }: TestServer) =>
  existsSync(DBpath) ? readdirSync(DBpath).filter((name) => !name.startsWith('.')) : [];

/** How the jobs stand on the disk, by `jid`, as anybody reads it who knows the original's form. */
function onDisk(server: TestServer): ReadonlyMap<unknown, unknown> {
  const { DBpath } = server.folders;
  return new Map(
    folders(server).map((root) => {
      const leaf = (...path: string[]) =>
        JSON.parse(readFileSync(join(DBpath, root, ...path), 'utf8')) as Record<string, unknown>;
      const { stdout, returncode } = leaf('end', '0', 'endInfo')['0'] as Record<string, unknown>;
      const ended = leaf('endInfo');
      return [leaf('jid'), { stdout, returncode, ended }] as const;
    }),
  );
}

const expected = new Map(
  Array.from({ length: JOBS }, (_, i) => [
    `rush-${i}`,
    { stdout: outputOf(i), returncode: 0, ended: { allJobsDone: true } },
  ]),
);

/** The jobs whose records may not be complete. */
function open({ folders: { DBpath } }: TestServer): readonly string[] {
  const spool = join(`${DBpath}.spool`, 'jobs');
  return readdirSync(spool).filter((name) => existsSync(join(spool, name, 'job.jsonl')));
}

describe('many short jobs one after the other', () => {
  it('are all known after a kill, and have their records soon', async () => {
    const server = await startServer({ flags: ['--maxJobs', '8'] });
    await rush(server);
    await server.kill9();
    await server.restart();
    const { d_ret } = await server.post('search', { key: 'auid', value: 'rush' });
    expect(Object.keys(d_ret as object)).toHaveLength(JOBS);
    await eventually(() => open(server).length === 0, { timeoutMs: 60_000 });
    expect(onDisk(server)).toEqual(expected);
    await endServer(server);
  });

  it('have their records when they are to be saved', async () => {
    const server = await startServer({ flags: ['--maxJobs', '8'] });
    await rush(server);
    expect(await server.post('DBctl', { do: 'save' })).toMatchObject({ status: true });
    expect(onDisk(server)).toEqual(expected);
    await endServer(server);
  });
});
