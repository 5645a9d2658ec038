import { statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import * as images from '../helpers/images.ts';

const { docker, post } = images;
/** How the original's README starts it. */
const SEED_FLAGS = ['--rawmode', '1', '--http', '--port', '5010', '--listeners', '12'];

const containers = new Set<string>();
const volumes = new Set<string>();

async function startPman(
  options: readonly string[] = [],
  words: readonly string[] = SEED_FLAGS,
): Promise<images.Container> {
  const container = images.start(options, words);
  containers.add(container.name);
  return images.answering(container);
}

/** Runs a command to its end and gives what it has written. */
async function output(pman: images.Served, cmd: string): Promise<string> {
  const jid = `job-${Math.random()}`;
  await post(pman, 'run', { cmd, auid: 'tester', jid });
  const { d_ret } = await post(pman, 'result', { key: 'jid', value: jid });
  return (d_ret as Readonly<Record<string, { readonly stdout: string[] }>>)['0']?.stdout[0] ?? '';
}

const health = (name: string) =>
  docker('inspect', '--format', '{{.State.Health.Status}}', name).trim();

/** The processes of a container, as `docker top` shows them: by the names of this machine. */
const processesIn = (name: string) =>
  docker('top', name, '-eo', 'uid,pid,stat,args')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, uid = '', pid = '', state = '', args = ''] =
        /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      return { uid: Number(uid), pid: Number(pid), state, args };
    });

describeWithEngine('the images', images.imagesMissing, () => {
  jest.setTimeout(120_000);
  beforeAll(images.makeNetwork);
  afterAll(images.removeNetwork);
  afterEach(() => {
    for (const name of containers) images.remove(name);
    containers.clear();
    for (const name of volumes) docker('volume', 'rm', name);
    volumes.clear();
  });

  it.each([
    ['the flags of the original', SEED_FLAGS],
    [
      'the name of the program before them, as the first images of the original',
      ['pman', ...SEED_FLAGS],
    ],
    ['nothing', []],
  ])('start with %s, and answer at a port that docker publishes', async (_, words) => {
    const pman = await startPman([], words);
    const { d_ret } = await post(pman, 'hello', { askAbout: 'sysinfo' });
    expect(d_ret).toMatchObject({ name: 'pman', sysinfo: { system: 'Linux' } });
    expect(await output(pman, 'id -un && pwd && echo $HOME')).toBe(
      'pman\n/var/lib/pman\n/home/pman\n',
    );
  });

  it('run nothing as root but what starts them', async () => {
    const pman = await startPman();
    await post(pman, 'run', { cmd: 'sleep 600', auid: 'a', jid: 'a', threaded: true });
    const found = await eventually(() => {
      const all = processesIn(pman.name);
      return all.some(({ args }) => args === 'sleep 600') && all;
    });
    expect(found.filter(({ uid }) => uid !== 1000).map(({ args }) => args)).toEqual([
      `tini -- pman-entrypoint ${SEED_FLAGS.join(' ')}`,
    ]);
  });

  it('end at once when docker stops them', async () => {
    const { name } = await startPman();
    docker('stop', '--time', '20', name);
    expect(docker('inspect', '--format', '{{.State.ExitCode}}', name).trim()).toBe('0');
  });

  it('are healthy while pman answers, also while a client waits for its job, and are not when it does not', async () => {
    const often = ['--health-interval', '500ms', '--health-retries', '1'];
    const words = ['--port', '5010', '--listeners', '1', '--http'];
    const { name, port } = await startPman(often, words);
    await eventually(() => health(name) === 'healthy');
    void post({ port }, 'run', { cmd: 'sleep 600', auid: 'a', jid: 'a' }).catch(() => undefined);
    await eventually(() => docker('exec', name, 'pman_health').trim() === 'alive', {
      timeoutMs: 30_000,
    });
    const server = processesIn(name).find(({ args }) =>
      args.startsWith('node /usr/local/bin/pman'),
    );
    process.kill(server?.pid ?? 0, 'SIGSTOP');
    await eventually(() => health(name) === 'unhealthy', { pollMs: 200 });
  });

  it('keep their jobs on a volume, and tell those that ended with the container', async () => {
    const volume = docker('volume', 'create').trim();
    volumes.add(volume);
    const mount = ['--volume', `${volume}:/var/lib/pman`];
    const first = await startPman(mount);
    await post(first, 'run', { cmd: 'echo kept', auid: 'a', jid: 'kept' });
    await post(first, 'run', { cmd: 'sleep 600', auid: 'a', jid: 'cut', threaded: true });
    await eventually(async () => (await images.statusOf(first, 'cut')).status === 'started');
    docker('restart', '--time', '20', first.name);
    const again = await images.answering({ port: images.portOf(first.name) });
    await eventually(
      async () => (await images.statusOf(again, 'cut')).status === 'finishedWithError',
    );
    images.remove(first.name);
    const second = await startPman(mount);
    const { d_ret } = await post(second, 'result', { key: 'jid', value: 'kept' });
    expect(d_ret).toMatchObject({ 0: { status: 'finishedSuccessfully', stdout: ['kept\n'] } });
    expect(await output(second, 'echo new')).toBe('new\n');
  });

  it('leave no dead processes of jobs behind', async () => {
    const pman = await startPman();
    // What the job leaves running is nobody's child but the first process's.
    await post(pman, 'run', { cmd: '(setsid sleep 0.3 &)', auid: 'a', jid: 'a' });
    const inside = () => docker('exec', pman.name, 'sh', '-c', 'grep -h . /proc/[0-9]*/status');
    await eventually(() => !/^State:\s+Z|^Name:\s+sleep/m.test(inside()), {
      message: 'the last process of the job to be gone',
    });
  });

  it.each([
    ['as the user that RUN_AS names', ['--env', 'RUN_AS=root'], '0\n'],
    ['as the user that docker names', ['--user', '1234:0'], '1234\n'],
  ])('run %s', async (_, options, user) => {
    const pman = await startPman(options);
    expect(await output(pman, 'id -u')).toBe(user);
  });

  describe('that get the socket of the engine', () => {
    /** A container's own limits, as its cgroup has them; of cgroup 2, or of 1. */
    const LIMITS =
      'cd /sys/fs/cgroup; cat memory.max cpu.max 2>/dev/null || ' +
      'cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us';
    const job = (jid: string, manager: object) => ({
      cmd: `sh -c "${LIMITS}"`,
      ...{ auid: 'a', jid, threaded: true, cpu_limit: '500m', memory_limit: '64Mi' },
      container: { target: { image: 'local/busybox' }, manager },
    });
    const allRemoved = () => eventually(() => !/own|other/.test(docker('service', 'ls')));
    const cmdManager = async (pman: images.Served) =>
      JSON.stringify(
        (await post(pman, 'search', { key: 'jid', value: 'own', path: '/cmdMgr' })).d_ret,
      );

    it('have the manager image give services their limits', async () => {
      const pman = await startPman(images.withEngine);
      const reply = await post(pman, 'run', job('own', { image: 'fnndsc/swarm', app: 'swarm.py' }));
      expect(reply).toMatchObject({ status: true });
      const { status, logs } = await images.ended(pman, 'own');
      const [memory, quota, period] = logs.trim().split(/\s+/).map(Number);
      expect({ status, memory, cpus: (quota ?? 0) / (period ?? 1) }).toEqual({
        status: 'finishedSuccessfully',
        memory: 64 * 2 ** 20,
        cpus: 0.5,
      });
      expect(await cmdManager(pman)).toContain('fnndsc/swarm swarm.py -s own');
      await allRemoved();
    });

    it('may use it as any user of its group', async () => {
      const group = String(statSync(images.imagesSocket).gid);
      const user = ['--user', '1234:0', '--group-add', group];
      const pman = await startPman([...images.withEngine, ...user]);
      await post(pman, 'run', job('other', {}));
      expect((await images.ended(pman, 'other')).status).toBe('finishedSuccessfully');
      await allRemoved();
    });
  });
});
