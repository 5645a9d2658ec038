import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ApiClient } from '../helpers/apiClient.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, verbOnTerminal } from '../helpers/pmanVerb.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const noPty = () =>
  spawnSync('script', ['-V']).status === 0
    ? undefined
    : 'no script(1): install the util-linux (bsdutils) package';

describeWithEngine('the verbs of pman on a terminal', noPty, () => {
  let server: TestServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await startServer();
    api = new ApiClient(server);
  });
  afterAll(() => endServer(server));

  const pman = async (...argv: string[]) => (await pmanVerb(server, argv)).stdout.trim();
  const onTerminal = async (line: string, options = {}) => {
    const terminal = verbOnTerminal(server, line, options);
    const code = await terminal.ended;
    return { code, shown: terminal.shown(), raw: terminal.raw() };
  };

  it('says what is hidden, and how to see it', async () => {
    const empty = await onTerminal('ls');
    expect(empty.shown).toBe("no jobs yet · pman run 'echo hello'\n");
    await pman('run', '-f', '--name', 'one', 'true');
    await pman('run', '-f', '--name', 'two', 'false');
    const { shown } = await onTerminal('ls -n 1');
    expect(shown).toMatch(
      /^ {2}ID {6}NAME {2}STATE {5}.*COMMAND\n✗ \w{6} {2}two .*\n1 of 2 · -a all · pman ls failed\n$/,
    );
    expect((await onTerminal('ls failed')).shown).toMatch(/\n1 of 2 · pman ls\n$/);
    expect((await onTerminal('ls lost')).shown).toBe('none of 2 fits · pman ls\n');
  });

  it('says what one may type next, where it is read by people', async () => {
    const sent = await onTerminal("run --name next 'sleep 60'");
    expect(sent.shown).toMatch(/^(\w{6})\npman logs -f \1 · pman kill \1\n$/);
    const ended = await onTerminal('kill next');
    expect(ended.shown).toMatch(/^■ (\w{6}) {2}next {2}killed\npman logs \1 · pman rerun \1\n$/);
    const again = await onTerminal('rerun next');
    expect(again.shown).toMatch(/^(\w{6})\npman logs -f \1 · pman kill \1\n$/);
    expect((await onTerminal('kill -q @1')).shown).toMatch(/^\w{6}\n$/);
    expect(await pman('rerun', '@1')).toMatch(/^\w{6}$/);
    await pman('kill', '-y', 'next*');
    await pman('rm', '-y', 'next*');
  });

  it('has no escapes without colours, and plain signs without UTF-8', async () => {
    const plain = await onTerminal('ls', { env: { NO_COLOR: '1' } });
    expect(plain.raw).not.toContain('\u001b');
    expect((await onTerminal('ls')).raw).toContain('\u001b[31mfailed 1\u001b[39m');
    const ascii = await onTerminal('ls', { env: { LANG: 'C', TERM: 'dumb' } });
    expect(ascii.raw).toMatch(/^[\r\n\u0020-\u007e]*$/);
    expect(ascii.shown).toContain('\nx ');
  });

  it('run -f says what goes on beside what the job writes, and how it has ended', async () => {
    const { code, shown } = await onTerminal("run -f --name talk 'echo out; exit 2'");
    expect(code).toBe(2);
    expect(shown).toMatch(
      /^[●○] (\w{6}) talk · (running|starting|waiting( \d+)?) · Ctrl-C leaves it running\nout\n✗ \1 failed 2 after 0 s · pman logs \1 · pman rerun \1\n$/,
    );
  });

  it('run -f and logs -f say why a job has ended that took too long', async () => {
    const { shown } = await onTerminal("run -f --name late --timeout 0.2s 'sleep 60'");
    expect(shown).toMatch(/✗ (\w{6}) timeout after 0 s · .*0\.2 s.* · pman logs \1 · /);
    expect((await onTerminal('logs -f late')).shown).toMatch(
      /── \w{6} timeout after 0 s · .*0\.2 s/,
    );
  });

  it('Ctrl-C leaves the job running, and says how to come back', async () => {
    const terminal = verbOnTerminal(server, "run -f --name stays 'echo up; exec sleep 60'");
    await eventually(() => terminal.shown().includes('up\n'));
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.shown()).toMatch(
      /detached: (\w{6}) still runs · pman logs -f \1 · pman kill \1\n$/,
    );
    const job = (await api.page('?jid=stays')).jobs[0];
    expect(job?.state).toBe('running');
    await pman('kill', 'stays');
  });

  it('Ctrl-C ends a job that is tied to the terminal', async () => {
    const terminal = verbOnTerminal(server, "run --tie --name tied 'echo up; exec sleep 60'");
    await eventually(() => terminal.shown().includes('up\n'));
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect((await api.page('?jid=tied')).jobs[0]).toMatchObject({ state: 'killed', exitCode: -2 });
  });

  it('Ctrl-C ends what goes on after a question was answered', async () => {
    const command = 'trap "" TERM; echo up; while :; do sleep 0.2; done';
    for (const n of [1, 2]) await pman('run', '--name', `deaf-${n}`, '--', 'sh', '-c', command);
    await eventually(async () => (await pman('logs', 'deaf-2')) === 'up');
    const terminal = verbOnTerminal(server, "kill --grace 60s 'deaf-*'");
    await eventually(() => terminal.shown().includes('[y/N]'));
    terminal.type('y\r');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.shown()).not.toContain('was sent TERM');
    await pman('kill', '-y', '-s', 'KILL', 'deaf-*');
  });

  it('logs -f stands between two lines of speech', async () => {
    const gate = makeGate(server);
    await pman('run', '--name', 'followed', `echo up; ${gate.wait}; echo bad >&2`);
    const terminal = verbOnTerminal(server, 'logs -f');
    await eventually(() => terminal.shown().includes('up\n'));
    gate.open();
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toMatch(
      /^── (\w{6}) followed · running \d+s · Ctrl-C leaves it running\nup\nbad\n── \1 ok after \d+ s\n$/,
    );
    expect(terminal.raw().replace('\r', '')).toContain('\u001b[33m');
  });

  it('show is a sheet that fits', async () => {
    await pman('run', '--name', 'sheet', '--timeout', '1h', 'seq 1 14 >&2; exit 3');
    await pman('wait');
    const { shown } = await onTerminal('show', { columns: 60 });
    const lines = shown.split('\n');
    expect(lines[0]).toMatch(/^✗ \w{6} {2}sheet {10,}failed 3 after 0 s$/);
    expect(lines[0]).toHaveLength(60);
    expect(shown).toMatch(/\n {2}command {2}seq 1 14 >&2; exit 3\n/);
    expect(shown).toMatch(/\n {2}where {4}host, .*, timeout 1h; for .*, jid sheet\n/);
    expect(shown).toContain('  stderr   … 4 lines before\n           5\n');
    expect(shown).toMatch(/ {11}14\n {2}next {5}pman logs (\w{6}) · pman rerun \1\n$/);
  });

  it('wait redraws one line, and tells each end', async () => {
    const gate = makeGate(server);
    for (const n of [1, 2])
      await pman('run', '--name', `waited-${n}`, `${gate.wait}; exit ${n - 1}`);
    const terminal = verbOnTerminal(server, "wait 'waited-*'");
    await eventually(() => terminal.shown().includes('2 of 2 left · '));
    gate.open();
    expect(await terminal.ended).toBe(1);
    expect(terminal.shown()).toMatch(/✗ \w{6} {2}waited-2 {10}failed 1 /);
    expect(terminal.shown()).toMatch(/1 of 2 failed · pman logs \w{6}\n$/);
  });

  it('asks before several are lost, and no answer is no', async () => {
    for (const n of [1, 2]) await pman('run', '--name', `asked-${n}`, 'sleep 60');
    const no = verbOnTerminal(server, "kill 'asked-*'");
    await eventually(() => no.shown().includes('[y/N]'));
    expect(no.shown()).toMatch(/^kill 2 jobs\? \w{6} asked-\d, \w{6} asked-\d \[y\/N\] /);
    no.type('\n');
    expect(await no.ended).toBe(1);
    expect(no.shown()).toContain('nothing was done');
    const yes = verbOnTerminal(server, "kill 'asked-*'");
    await eventually(() => yes.shown().includes('[y/N]'));
    yes.type('y\n');
    expect(await yes.ended).toBe(0);
    expect(yes.shown().match(/■ \w{6} {2}asked-\d {2}killed\n/g)).toHaveLength(2);
  });

  it('ls -w draws over what has changed', async () => {
    const gate = makeGate(server);
    const again = verbOnTerminal(server, "ls -w 'drawn*'", { columns: 70 });
    await eventually(() => again.shown().includes('0 of '));
    await pman('run', '--name', 'drawn', gate.wait);
    await eventually(() => again.shown().includes('drawn  running'));
    gate.open();
    await eventually(() => again.shown().includes('drawn  ok'));
    expect(again.raw()).toContain('\u001b[3A');
    again.type('\u0003');
    expect(await again.ended).toBe(130);
  });
});
