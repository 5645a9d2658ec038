import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeWithEngine, notRoot } from '../helpers/engine.ts';
import { endServer, runJob, untilEnded } from '../helpers/pman.ts';
import { builtProgram, startServer, type TestServer } from '../helpers/startServer.ts';

function jobUserMissing(): string | undefined {
  const hasUser = spawnSync('getent', ['passwd', 'nobody']).status === 0;
  return notRoot() ?? (hasUser ? undefined : 'this host has no user nobody');
}

let server: TestServer | undefined;
const end = async () => {
  if (server !== undefined) await endServer(server);
  server = undefined;
};

async function outputOf(flags: readonly string[], cmd: string) {
  server = await startServer({ flags });
  const result = await untilEnded(server, await runJob(server, cmd));
  return { ...result, out: result.stdout.join(''), err: result.stderr.join('') };
}

describeWithEngine('--jobUser', jobUserMissing, () => {
  afterEach(end);

  const flags = ['--jobUser', 'nobody'];
  const id = (flag: string) =>
    spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout.trim();

  it('runs jobs as that user, with its groups, and nothing of root left', async () => {
    const { out } = await outputOf(
      flags,
      'id -u && id -g && id -G && grep -E "^(Uid|Gid|CapEff|CapPrm)" /proc/self/status',
    );
    const [uid, gid] = [id('-u'), id('-g')];
    const four = (text: string) => [text, text, text, text].join('\t');
    const none = '0000000000000000';
    expect(out.split('\n').slice(0, -1)).toEqual([
      ...[uid, gid, id('-G')],
      ...[`Uid:\t${four(uid)}`, `Gid:\t${four(gid)}`, `CapPrm:\t${none}`, `CapEff:\t${none}`],
    ]);
  });

  it('gives it its own names and home, and streams that it can open by name', async () => {
    const { out, err } = await outputOf(
      flags,
      'echo $USER $LOGNAME > /dev/stdout && echo e > /dev/stderr && echo $HOME',
    );
    const [, , , , , home] = spawnSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' })
      .stdout.trim()
      .split(':');
    expect(out).toBe(`nobody nobody\n${home}\n`);
    expect(err).toBe('e\n');
  });

  it('runs commands of more than 128 KiB, and of many parts', async () => {
    server = await startServer({ flags });
    const long = `: ${'x'.repeat(200_000)} && id -un && cat`;
    expect(await untilEnded(server, await runJob(server, long))).toMatchObject({
      ...{ returncode: [0], stdout: ['nobody\n'], stderr: [''] },
    });
    const many = `${':;'.repeat(100_000)}id -un`;
    expect((await untilEnded(server, await runJob(server, many))).stdout).toEqual(['nobody\n']);
  });

  it('keeps pman from a job that kills all that it may, and the database from all jobs', async () => {
    // In namespaces of its own: nobody may have other processes on this host.
    const apart = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const own = await startServer({ flags, command: [...apart, ...builtProgram('pman')] });
    try {
      const { status } = await untilEnded(own, await runJob(own, 'kill -9 -1'));
      expect(status).not.toBe('lost');
      const db = own.folders.DBpath;
      const next = await untilEnded(own, await runJob(own, `ls ${db}.spool/jobs; ls ${db}`));
      expect(next.stdout).toEqual(['', '']);
    } finally {
      // unshare does not pass a signal on.
      await own.kill9();
      own.endJobs();
    }
  });

  it('ends a job that only starts others, at its time or with its limit, and serves on', async () => {
    // In namespaces of its own, and as a user that has no processes beside those of the job.
    const apart = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const own = await startServer({
      flags: ['--jobUser', 'games', '--maxProcesses', '60'],
      command: [...apart, ...builtProgram('pman')],
    });
    try {
      const bomb = 'b() { b | b & }; b; while :; do sleep 1; done';
      const jid = await runJob(own, bomb, { shell: true, timeout: 4 });
      const { status, cause } = await untilEnded(own, jid);
      expect(status).toBe('finishedWithError');
      expect(cause[0]).toMatch(/time limit 4 s|more processes than its limit of 60/);
      expect(cause[0]).not.toMatch(/still run/);
      const next = await untilEnded(own, await runJob(own, 'echo on'));
      expect(next.stdout).toEqual(['on\n']);
    } finally {
      await own.kill9();
      own.endJobs();
    }
  });

  it('limits the processes of that user', async () => {
    const cmd = "awk '/Max processes/ { print $3 }' /proc/self/limits";
    expect((await outputOf([...flags, '--maxProcesses', '4000'], cmd)).out).toBe('4000\n');
  });
});

describe('--jobUser that cannot be', () => {
  const start = (name: string, ...front: readonly string[]) => {
    const [file = '', ...args] = [...front, ...builtProgram('pman'), '--port', '0'];
    return spawnSync(file, [...args, '--jobUser', name, '--DBpath', join('/tmp', 'pman-none')], {
      encoding: 'utf8',
      timeout: 20_000,
    });
  };

  it('is refused by name', () => {
    const { status, stderr } = start('no-such-user');
    expect(status).toBe(2);
    expect(stderr).toContain(notRoot() === undefined ? 'no user "no-such-user"' : 'only root');
  });
});

describe('what a job may write', () => {
  afterEach(end);

  it('is bounded by --maxOutput: the job ends, and says why', async () => {
    const { jobRoot, status, cause } = await outputOf(['--maxOutput', '1'], 'yes');
    expect(status).toBe('finishedWithError');
    expect(cause[0]).toMatch(/more than 1048576 bytes on stdout of sub-job 0/);
    if (server === undefined) throw new Error('no server');
    const file = join(`${server.folders.DBpath}.spool`, 'jobs', jobRoot, '0.out');
    expect(readFileSync(file)).toHaveLength(1024 * 1024);
  });

  it('is too much also for a job that would have ended well: it has failed, since some of its output is missing', async () => {
    const beyond = 'trap "" TERM && head -c 5000000 /dev/zero; echo never';
    const { status, cause, returncode } = await outputOf(['--maxOutput', '1'], beyond);
    expect([status, returncode]).toEqual(['finishedWithError', [0]]);
    expect(cause[0]).toMatch(/more than 1048576 bytes on stdout of sub-job 0/);
  });

  it('may be exactly as much as that', async () => {
    const { status, stdout } = await outputOf(['--maxOutput', '1'], 'head -c 1048576 /dev/zero');
    expect(status).toBe('finishedSuccessfully');
    expect(stdout[0]).toHaveLength(1024 * 1024);
  });
});

describe('what a job inherits', () => {
  afterEach(end);

  it('is what pman had, without what is its own', async () => {
    const env = { PMAN_KILLGRACE: '7', DOCKER_HOST: 'tcp://nowhere', MINE: 'kept' };
    const shell = ['/bin/sh', '-c', 'ulimit -Sn 777; umask 027; "$@"; exit', 'sh'];
    server = await startServer({ env, command: [...shell, ...builtProgram('pman')] });
    const cmd = 'env; echo files $(ulimit -Sn) $(umask); grep -E "^Sig(Blk|Ign)" /proc/self/status';
    const result = await untilEnded(server, await runJob(server, `(${cmd})`));
    const lines = (result.stdout[0] ?? '').split('\n');
    expect(lines.filter((line) => /^(PMAN|DOCKER|CRUNNER)_/.test(line))).toEqual([]);
    expect(lines).toContain('MINE=kept');
    expect(lines).toContain('files 777 0027');
    expect(lines.filter((line) => line.startsWith('Sig'))).toEqual([
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000000',
    ]);
  });
});
