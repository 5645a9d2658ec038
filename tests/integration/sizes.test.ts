import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { act, endServer, replyOf, runJob, untilEnded } from '../helpers/pman.ts';
import { type SshServer, sshdMissing, startSshServer } from '../helpers/sshd.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const KIB = 1024;
const x = (bytes: number) => 'x'.repeat(bytes);

/** What is to be so wherever a job runs. */
function sizes(of: () => { readonly server: TestServer; readonly meta: object }): void {
  const outcome = async (cmd: string, more: object = {}) => {
    const { server, meta } = of();
    return untilEnded(server, await runJob(server, cmd, { ...meta, ...more }), 60_000);
  };
  const refusal = async (more: object) => {
    const { server, meta } = of();
    const asked = { cmd: 'true', auid: 'a', jid: 'refused', ...meta, ...more };
    const answer = await act(server, 'run', asked);
    return { status: answer.status, error: replyOf(answer).error };
  };

  it.each([
    ['of just less than 128 KiB', `echo ${x(128 * KIB - 14)} | wc -c`, 128 * KIB - 13],
    ['of just 128 KiB', `echo ${x(128 * KIB - 13)} | wc -c`, 128 * KIB - 12],
    ['of 200 KiB', `echo ${x(200 * KIB)} | wc -c`, 200 * KIB + 1],
    ['of nearly 1 MiB', `echo ${x(1023 * KIB)} | wc -c`, 1023 * KIB + 1],
  ])('a command %s runs', async (_, cmd, length) => {
    expect(await outcome(cmd)).toMatchObject({ stdout: [`${length}\n`], returncode: [0] });
  });

  it('a command of more than 128 KiB is as any other: its name, its input, its code, its files', async () => {
    const cmd = `: ${x(200 * KIB)}\necho "$0"; cat; ls /proc/self/fd | wc -l; exit 7`;
    const short = await outcome(cmd.replace(/x+/, 'x'), { shell: true });
    const long = await outcome(cmd, { shell: true });
    expect(short).toMatchObject({ stdout: [expect.stringMatching(/^\/bin\/sh\n\d+\n$/)] });
    expect([long.stdout, long.stderr, long.returncode]).toEqual([short.stdout, [''], [7]]);
  });

  it('a word that no program can be given is said so by the shell', async () => {
    const { stderr } = await outcome(`/bin/echo ${x(200 * KIB)} >/dev/null`);
    expect(stderr[0]).toMatch(/too long/i);
  });

  it.each([100_000, 262_000])('%d commands behind each other run', async (count) => {
    const many = `${':;'.repeat(count)}echo done`;
    expect(await outcome(many)).toMatchObject({ stdout: ['done\n'], returncode: [0] });
  });

  it('variables of 100 KiB arrive; longer ones than programs can have are refused', async () => {
    const env = { A: x(100 * KIB) };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
    const told = 'echo ${#A}; env | grep -c "^A=x"';
    expect(await outcome(told, { env, shell: true })).toMatchObject({ stdout: ['102400\n1\n'] });
    expect(await refusal({ env: { A: x(128 * KIB) } })).toMatchObject({
      status: 400,
      error: { message: expect.stringMatching(/"meta\.env\.A": is longer than .*128 KiB/) },
    });
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`A${i}`, x(100 * KIB)]));
    expect(await refusal({ env: many })).toMatchObject({ status: 400 });
  });

  it.each([
    ['cmd', { cmd: 'echo a\0b' }],
    ['env', { env: { A: 'a\0b' } }],
    ['cwd', { cwd: '/tmp\0x' }],
    ['auid', { auid: 'a\0' }],
    ['jid', { jid: 'a\0' }],
  ])('a NUL in %s is refused', async (name, meta) => {
    expect(await refusal(meta)).toMatchObject({
      status: 400,
      error: { message: expect.stringMatching(new RegExp(`"meta\\.${name}.*NUL`)) },
    });
  });

  it.each([
    ['cmd', { cmd: 'echo \ud800' }],
    ['env', { env: { A: '\udc00a' } }],
    ['cwd', { cwd: '/tmp/\ud800' }],
  ])('half of a character in %s is refused: it would become another one', async (_, meta) => {
    expect(await refusal(meta)).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('half of a character') },
    });
  });

  it('bytes of every kind are in the output as they are; a progress bar is one line', async () => {
    const { server } = of();
    const cmd = String.raw`printf '1%%\r2%%\r\0\377\303(\r\n'`;
    const { jobRoot, stdout } = await outcome(cmd);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/${jobRoot}/stdout`);
    const bytes = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    expect(bytes).toBe('1%\r2%\r\0\xff\xc3(\r\n');
    expect(stdout).toEqual(['1%\r2%\r\0\ufffd\ufffd(\n']);
  });

  it('a line of 100 MB is kept whole', async () => {
    const { server } = of();
    const { jobRoot } = await outcome("head -c 100000000 /dev/zero | tr '\\0' x");
    const path = `/api/v1/${jobRoot}/stdout`;
    const { header } = await server.request('GET', path, { headers: { Range: 'bytes=-3' } });
    expect(header('content-range')).toBe('bytes 99999997-99999999/100000000');
  }, 120_000);
}

describe('sizes and bytes of a job of this host', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));
  sizes(() => ({ server, meta: {} }));

  it('a line that takes long to be split does not hold up others', async () => {
    const cmd = `{ ${':;'.repeat(500_000)} }; echo done`;
    const accepted = act(server, 'run', { cmd, auid: 'a', jid: 'long', threaded: true });
    let answers = 0;
    let isAccepted = false;
    void accepted.finally(() => {
      isAccepted = true;
    });
    while (!isAccepted) {
      await server.request('GET', '/api/v1/hello');
      answers += 1;
    }
    // When it was split in the same thread, none came before it was.
    expect(answers).toBeGreaterThan(10);
    expect((await accepted).status).toBe(200);
  });
});

describeWithEngine('sizes and bytes of a job on another host', sshdMissing, () => {
  let sshd: SshServer;
  let server: TestServer;
  let ssh = '';
  beforeAll(async () => {
    sshd = startSshServer(tempDir('sshd'));
    ssh = `${sshd.user}@127.0.0.1:${sshd.port}`;
    const flags = [`--sshHosts=${ssh}`, `--sshIdentity=${sshd.file('id')}`];
    server = await startServer({
      flags: [...flags, `--sshKnownHosts=${sshd.file('known_hosts')}`],
    });
  });
  afterAll(async () => {
    await endServer(server);
    sshd.close();
  });
  sizes(() => ({ server, meta: { ssh } }));
});
