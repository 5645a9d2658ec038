import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSwarm, type ServiceRequest, type SwarmManager, type Task } from '../../swarm/index.ts';
import { isFinal, jobStatusOf } from '../../swarm/service/task.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempDir.ts';

const engine = process.env.PMAN_TEST_DOCKER;
const notUp = () =>
  engine ? undefined : 'PMAN_TEST_DOCKER is not set: tests/engines/docker.sh up';
const image = 'local/busybox:latest';

/** The swarm of the engine under test, or of another address. */
function swarmAt(baseUrl: string): Promise<SwarmManager> {
  return openSwarm({ env: {}, home: '/nonexistent', baseUrl });
}

describe('SwarmManager without an engine', () => {
  it('says that there is no answer, and from where', async () => {
    const swarm = await swarmAt('unix:///nonexistent/docker.sock');
    await expect(swarm.state('a')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no answer from unix:///nonexistent/docker.sock'),
    });
  });
});

describeWithEngine('SwarmManager', notUp, () => {
  let swarm: SwarmManager;
  const scheduled = new Set<string>();

  beforeAll(async () => {
    swarm = await swarmAt(engine ?? '');
  });

  afterEach(async () => {
    for (const name of scheduled) {
      await swarm.remove(name).catch((error: { code?: string }) => {
        if (error.code !== 'not_found') throw error;
      });
    }
    scheduled.clear();
  });

  /** Schedules a command, once, under a name of its own. */
  async function schedule(
    command: readonly string[],
    more: Partial<ServiceRequest> = {},
  ): Promise<string> {
    const name = more.name ?? `test-${process.pid}-${scheduled.size}-${Date.now()}`;
    scheduled.add(name);
    await swarm.schedule({ name, image, command, restartPolicy: 'none', ...more });
    return name;
  }

  function ended(name: string): Promise<Task> {
    return eventually(
      async () => {
        const task = await swarm.state(name);
        return isFinal(task) && task;
      },
      { message: `service ${name} to end` },
    );
  }

  it('runs a command to its good end and keeps what it wrote', async () => {
    const name = await schedule(['sh', '-c', 'echo "one  two"; echo err >&2']);
    const task = await ended(name);
    expect(jobStatusOf(task)).toBe('finishedSuccessfully');
    expect(task.Status.ContainerStatus?.ExitCode).toBe(0);
    expect(await swarm.logs(name)).toBe('one  two\r\nerr\r\n');
  });

  it('shows a command that fails, with its exit code', async () => {
    const name = await schedule(['sh', '-c', 'echo before; exit 3']);
    const task = await ended(name);
    expect(jobStatusOf(task)).toBe('finishedWithError');
    expect(task.Status.ContainerStatus?.ExitCode).toBe(3);
    expect(await swarm.logs(name)).toBe('before\r\n');
  });

  it('lets the container read and write the shared folder', async () => {
    const shareDir = join(tempDir(), 'key 1');
    mkdirSync(shareDir);
    writeFileSync(join(shareDir, 'in'), 'from outside');
    const name = await schedule(['sh', '-c', 'tr a-z A-Z </share/in >/share/out'], { shareDir });
    expect(jobStatusOf(await ended(name))).toBe('finishedSuccessfully');
    expect(readFileSync(join(shareDir, 'out'), 'utf8')).toBe('FROM OUTSIDE');
  });

  it('keeps the container from writing to a mount that is read-only', async () => {
    const mounts = [{ source: tempDir(), target: '/in', readOnly: true }];
    const name = await schedule(['touch', '/in/x'], { mounts });
    expect(jobStatusOf(await ended(name))).toBe('finishedWithError');
    expect(await swarm.logs(name)).toContain('Read-only file system');
  });

  it('shows what a running command has written so far', async () => {
    const name = await schedule(['sh', '-c', 'echo first; sleep 600']);
    await eventually(async () => (await swarm.logs(name)) === 'first\r\n');
    // The engine tells of a start some time after it.
    await eventually(async () => jobStatusOf(await swarm.state(name)) === 'started');
  });

  it('keeps output whole and in order, also when it is JSON', async () => {
    const long = await schedule(['seq', '1', '20000']);
    const json = await schedule(['echo', '{"a": 1}']);
    await ended(long);
    await ended(json);
    const lines = (await swarm.logs(long)).split('\r\n');
    expect(lines).toEqual([...Array.from({ length: 20_000 }, (_, i) => String(i + 1)), '']);
    expect(await swarm.logs(json)).toBe('{"a": 1}\r\n');
  });

  it('ends a running command when its service is removed', async () => {
    const shareDir = tempDir();
    const beat = 'trap exit TERM; while true; do date +%s%N >/share/beat; sleep 0.05; done';
    const name = await schedule(['sh', '-c', beat], { shareDir });
    const file = join(shareDir, 'beat');
    await eventually(() => readFileSync(file, 'utf8') !== '');
    await swarm.remove(name);
    await expect(swarm.state(name)).rejects.toMatchObject({ code: 'not_found' });
    let last = '';
    let still = 0;
    // Ten looks in a row without a new beat.
    await eventually(
      () => {
        const beatNow = readFileSync(file, 'utf8');
        still = beatNow === last ? still + 1 : 0;
        last = beatNow;
        return still >= 10;
      },
      { pollMs: 100 },
    );
  });

  it('shows an image that is not there as a rejected task, with the reason', async () => {
    const name = await schedule(['true'], { image: 'local/nosuch' });
    const task = await ended(name);
    expect(task.Status.State).toBe('rejected');
    expect(await swarm.cause(task)).toMatch(
      /^the image is missing: .*No such image: local\/nosuch/,
    );
    expect(await swarm.logs(name)).toBe('');
  });

  it('shows a program that is not in the image as a failure, with the reason', async () => {
    const task = await ended(await schedule(['nosuchprogram']));
    expect(jobStatusOf(task)).toBe('finishedWithError');
    expect(await swarm.cause(task)).toMatch(/^the command could not be started: .*nosuchprogram/);
  });

  it('tells a command that ran out of memory from one that was killed', async () => {
    const hungry = await schedule(['tail', '/dev/zero'], { limits: { memoryBytes: 16 * 2 ** 20 } });
    const killed = await schedule(['sh', '-c', 'exit 137']);
    expect(await swarm.cause(await ended(hungry))).toContain('ran out of memory');
    expect(await swarm.cause(await ended(killed))).toBe('non-zero exit (137): as after signal 9');
  });

  it('says that a killed command with a memory limit seems to have reached it, where the engine does not tell', async () => {
    const limits = { memoryBytes: 16 * 2 ** 20 };
    const killed = await ended(await schedule(['sh', '-c', 'exit 137'], { limits }));
    const failed = await ended(await schedule(['sh', '-c', 'exit 3'], { limits }));
    expect(await swarm.cause(killed)).toBe(
      'the container ran out of memory: it seems so, since it was killed, and its limit is 16Mi',
    );
    expect(await swarm.cause(failed)).toBe('non-zero exit (3)');
  });

  it('says what a task waits for that no node can take', async () => {
    const name = await schedule(['true'], { limits: { gpus: 2 } });
    await eventually(async () =>
      (await swarm.cause(await swarm.state(name)))?.includes('no suitable node'),
    );
    expect(jobStatusOf(await swarm.state(name))).toBe('notstarted');
  });

  it('shows the newest try of a command that is tried again', async () => {
    const shareDir = tempDir();
    const command = ['sh', '-c', 'test -e /share/again || { touch /share/again; exit 1; }'];
    const name = await schedule(command, { shareDir, restartPolicy: 'on-failure' });
    await eventually(async () => (await swarm.state(name)).Status.State === 'complete', {
      timeoutMs: 30_000,
    });
    expect((await swarm.tasks(name)).map((task) => task.Status.State)).toEqual([
      'complete',
      'failed',
    ]);
  });

  it('gives the container its environment, user and limits', async () => {
    const limit =
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max';
    const quota = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cut -d" " -f1 /sys/fs/cgroup/cpu.max';
    const name = await schedule(['sh', '-c', `echo $A; id -u; (${limit}; ${quota}) 2>/dev/null`], {
      env: { A: 'a=b c' },
      user: '65534',
      limits: { cpus: 0.5, memoryBytes: 32 * 2 ** 20 },
    });
    await ended(name);
    const lines = (await swarm.logs(name)).split('\r\n');
    expect(lines).toEqual(['a=b c', '65534', String(32 * 2 ** 20), '50000', '']);
  });

  it('runs as many workers as asked and gives the output of each', async () => {
    const name = await schedule(['sh', '-c', 'echo worker'], { workers: 3 });
    await eventually(async () => {
      const tasks = await swarm.tasks(name);
      return tasks.length === 3 && tasks.every(isFinal);
    });
    expect(await swarm.logs(name)).toBe('worker\r\n'.repeat(3));
  });

  it('lists the tasks of all services with a label, and of no others', async () => {
    const label = `batch=${process.pid}-${Date.now()}`;
    const [key = '', value = ''] = label.split('=');
    expect(await swarm.tasksByService(label)).toEqual(new Map());
    const names = [
      await schedule(['true'], { labels: { [key]: value } }),
      await schedule(['false'], { labels: { [key]: value } }),
    ];
    await schedule(['true'], { labels: { [key]: 'another' } });
    await eventually(async () => {
      const all = await swarm.tasksByService(label);
      const [good, bad] = names.map((name) => all.get(name)?.[0]?.Status.State);
      return good === 'complete' && bad === 'failed';
    });
  });

  it('refuses a name that is taken', async () => {
    const name = await schedule(['sleep', '600']);
    await expect(schedule(['true'], { name })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('refuses what the engine calls wrong', async () => {
    await expect(schedule(['true'], { name: 'not a name' })).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('name must be valid as a DNS name component'),
    });
  });

  it.each(['nosuch', '../nodes', 'a b', ''])('does not find the service %j', async (name) => {
    await expect(swarm.state(name)).rejects.toMatchObject({ code: 'not_found' });
    await expect(swarm.logs(name)).rejects.toMatchObject({ code: 'not_found' });
    await expect(swarm.remove(name)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('does not take the beginning of an ID for a name', async () => {
    const name = await schedule(['sleep', '600']);
    const { ServiceID: id = '' } = await swarm.state(name);
    await expect(swarm.remove(id.slice(0, 4))).rejects.toMatchObject({ code: 'not_found' });
    await swarm.remove(id);
    await expect(swarm.state(name)).rejects.toMatchObject({ code: 'not_found' });
  });
});
