import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { builtProgram, startServer, type TestServer } from '../helpers/startServer.ts';

/** More than a pipe and its reader take at once. */
const LONG = 300_000;

describe('what programs write', () => {
  let server: TestServer;
  let id = '';
  beforeAll(async () => {
    server = await startServer();
    const api = new ApiClient(server);
    id = (await api.submit({ command: `true ${'x'.repeat(LONG)}` })).id;
  });
  afterAll(() => endServer(server));

  /** Has a shell run a program as its `"$@"`: what comes out of it in the end, and what was said on the way. */
  const inShell = async (line: string, program: string, argv: readonly string[]) => {
    const child = spawn('sh', ['-c', line, 'sh', ...builtProgram(program), ...argv], {
      ...{ cwd: server.folders.cwd, stdio: ['ignore', 'pipe', 'pipe'] },
      env: { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}`, LANG: 'C.UTF-8' },
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { out, err };
  };
  /** Its exit code stands at the end of stderr. */
  const SLOWLY = '{ "$@"; echo "ended with $?" >&2; } | { sleep 1; cat; }';
  const SLOWLY_SAID =
    '{ { "$@"; echo "ended with $?" >&3; } 2>&1 >/dev/null | { sleep 1; cat; }; } 3>&2';
  const TO_FULL_DISK = '"$@" > /dev/full; echo "ended with $?" >&2';
  const TO_NOBODY = '{ "$@"; echo "ended with $?" >&2; } | :';

  it.each([
    [['ls', '-a', '--json']],
    [['ls', '-a', '-o', 'id,command']],
    [['show']],
    [['show', '--json']],
    [['rerun', '--json']],
  ])('arrives whole at a slow reader: pman %j', async ([verb = '', ...flags]) => {
    const ofOne = verb === 'ls' ? [] : [id];
    const { out, err } = await inShell(SLOWLY, 'pman', [verb, ...flags, ...ofOne]);
    expect([out.length > LONG, out.endsWith('\n'), err]).toEqual([true, true, 'ended with 0\n']);
  });

  it('arrives whole at a slow reader of stderr, too', async () => {
    const { out, err } = await inShell(SLOWLY_SAID, 'pman', ['ls', `--${'x'.repeat(100_000)}`]);
    expect([out.length > 100_000, err]).toEqual([true, 'ended with 2\n']);
    expect(out).toMatch(/\n {2}pman ls --help lists its flags\n$/);
  });

  it('arrives whole at a slow reader of purl', async () => {
    const job = `127.0.0.1:${server.port}/api/v2/jobs/${id}`;
    const { out, err } = await inShell(SLOWLY, 'purl', ['--quiet', '--http', job]);
    expect(err).toBe('ended with 0\n');
    expect(JSON.parse(out)).toMatchObject({ id });
  });

  it.each([
    ['pman', ['ls', '-a']],
    ['pman', ['show', '--json', 'ID']],
    ['pman', ['run', 'true']],
    ['pman', ['--help']],
    ['pman', ['help', 'json']],
    ['pman', ['completion', 'bash']],
    ['pman', ['--version']],
    ['pman', ['serve', '--help']],
    ['pfioh', ['--help']],
    ['purl', ['--help'], 23],
    ['swarm', ['--help']],
    ['pman_do', ['--help']],
    ['pman_health', ['--help']],
  ])('is missed, and said so, on a full disk: %s %j', async (program, argv, code = 1) => {
    const words = argv.map((word) => (word === 'ID' ? id : word));
    const { err } = await inShell(TO_FULL_DISK, program, words);
    expect(err).toMatch(
      new RegExp(`^${program}: cannot write: ENOSPC[^\n]*\nended with ${code}\n$`),
    );
  });

  it.each([
    ['pman', ['ls', '-a', '--json']],
    ['pman', ['serve', '--help']],
    ['pfioh', ['--help']],
    ['purl', ['--help']],
    ['swarm', ['--help']],
    ['pman_do', ['--help']],
    ['pman_health', ['--help']],
  ])('is missed by nobody when its reader has gone: %s %j', async (program, argv) => {
    expect((await inShell(TO_NOBODY, program, argv)).err).toBe('ended with 0\n');
  });

  it('leaves the exit code as it is', async () => {
    const ended = await pmanVerb(server, ['run', '-f', 'seq 100000; exit 7']);
    expect([ended.code, ended.stdout.length]).toEqual([7, 588_895]);
  });
});
