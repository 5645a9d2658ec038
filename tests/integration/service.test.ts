import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { stepsOf } from '../helpers/guide.ts';
import { inside, systemdMissing, tried } from '../helpers/systemd.ts';

const API = 'http://127.0.0.1:5010';
/** What the page says: how the service is installed. */
const [install] = stepsOf('docs/operating.md').filter(({ info }) => info === 'needs=systemd');
const PROGRAM = `printf '#!/bin/sh\\nexec ${process.execPath} /opt/pman/dist/bin/pman.js "$@"\\n' >/usr/local/bin/pman && chmod 755 /usr/local/bin/pman`;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly exitCode: number | null;
  readonly reason: { readonly message: string } | null;
}

const ask = (path: string) => JSON.parse(inside(`curl -sf '${API}${path}'`)) as unknown;
const isUp = () => tried(`curl -sf ${API}/readyz`).status === 0;
const answers = () => eventually(isUp, { pollMs: 100, message: 'pman to answer' });
const mainProcess = () => inside('systemctl show --property MainPID --value pman');
const stateOfUnit = () => inside('systemctl show --property ActiveState --value pman');

function run(job: object): string {
  const body = JSON.stringify(job).replaceAll("'", `'\\''`);
  const accepted = JSON.parse(inside(`curl -sf ${API}/api/v2/jobs -d '${body}'`)) as Job;
  return accepted.id;
}
const jobOf = (id: string) => ask(`/api/v2/jobs/${id}`) as Job;
const ended = (id: string) => ask(`/api/v2/jobs/${id}?wait=30s`) as Job;
const textOf = (id: string) => inside(`curl -sf ${API}/api/v2/jobs/${id}/stdout`);

/** Starts a job that says which process it is, and ends with 7 when its gate is opened. */
async function waitingJob(gate: string): Promise<{ readonly id: string; readonly pid: string }> {
  const command = `echo $$; until [ -e /tmp/${gate} ]; do sleep 0.1; done; exit 7`;
  const id = run({ command, shell: true });
  const pid = await eventually(() => textOf(id), { message: 'the job to say its number' });
  return { id, pid };
}
const open = (gate: string) => inside(`touch /tmp/${gate}`);
const runs = (pid: string) => tried(`kill -0 ${pid}`).status === 0;

describeWithEngine('pman as a service of systemd, by docs/pman.service', systemdMissing, () => {
  beforeAll(async () => {
    inside(PROGRAM);
    inside(`set -e; cd /opt/pman; ${install?.text}`);
    await answers();
  });
  afterEach(async () => {
    tried('rm -rf /etc/default/pman /etc/systemd/system/pman.service.d /tmp/gate*');
    inside('systemctl daemon-reload && systemctl restart pman');
    await answers();
  });
  afterAll(() => {
    tried('systemctl disable --now pman');
    tried('pkill -9 -u pman');
    tried('rm -rf /var/lib/pman /etc/systemd/system/pman.service && userdel pman');
  });

  it('has a unit file without faults', () => {
    expect(tried('systemd-analyze verify pman.service')).toEqual({ status: 0, text: '' });
  });

  it('keeps its database for its own user, and runs jobs as that user, in its folder', () => {
    expect(inside('stat --format "%U %a" /var/lib/pman /var/lib/pman/db')).toBe(
      'pman 700\npman 700',
    );
    const id = run({ command: 'id -un; pwd; umask; ulimit -Hn', shell: true });
    expect(ended(id).state).toBe('succeeded');
    const [user, folder, umask, files] = textOf(id).split('\n');
    expect([user, folder, umask]).toEqual(['pman', '/var/lib/pman', '0022']);
    // The machine may allow less.
    expect(Number(files)).toBeLessThanOrEqual(65_536);
  });

  it.each([
    ['is restarted', 'systemctl restart pman'],
    ['is killed, and comes back by itself', 'kill -9 $(systemctl show -P MainPID pman)'],
    ['is stopped, and started later', 'systemctl stop pman && systemctl start pman'],
  ])('has jobs go on when it %s', async (what, order) => {
    const gate = `gate-${what.replace(/\W/g, '')}`;
    const { id, pid } = await waitingJob(gate);
    const before = mainProcess();
    inside(order);
    await eventually(() => mainProcess() !== before && isUp(), { pollMs: 100 });
    expect(runs(pid)).toBe(true);
    expect(jobOf(id).state).toBe('running');
    open(gate);
    expect(ended(id)).toMatchObject({ state: 'failed', exitCode: 7 });
  });

  it('knows how a job ended while the service was stopped', async () => {
    const { id, pid } = await waitingJob('gate-stopped');
    inside('systemctl stop pman');
    expect(stateOfUnit()).toBe('inactive');
    expect(runs(pid)).toBe(true);
    open('gate-stopped');
    await eventually(() => !runs(pid), { message: 'the job to end' });
    inside('systemctl start pman');
    await answers();
    expect(ended(id)).toMatchObject({ state: 'failed', exitCode: 7 });
  });

  it('ends jobs at a stop when the settings say so', async () => {
    inside('echo PMAN_JOBSATEXIT=end >/etc/default/pman && systemctl restart pman');
    await answers();
    const { id, pid } = await waitingJob('gate-ended');
    inside('systemctl stop pman');
    await eventually(() => !runs(pid), { message: 'the job to be ended' });
    inside('systemctl start pman');
    await answers();
    expect(ended(id).reason?.message).toContain('ended with pman');
  });

  it('is not started again and again with a wrong setting, and says which one it is', async () => {
    inside('echo PMAN_PORT=many >/etc/default/pman');
    tried('systemctl restart pman');
    await eventually(() => stateOfUnit() === 'failed', { message: 'the unit to fail' });
    expect(inside('systemctl show --property NRestarts --value pman')).toBe('0');
    expect(inside('journalctl --unit pman --no-pager --output cat --lines 20')).toContain(
      'pman: PMAN_PORT "many"',
    );
  });

  it('with control groups of its own, ends all that a job has started', async () => {
    const dropIn = '/etc/systemd/system/pman.service.d';
    inside(
      `mkdir ${dropIn} && printf '[Service]\\nDelegate=yes\\nDelegateSubgroup=pman\\n' >${dropIn}/groups.conf`,
    );
    inside('echo PMAN_JOBGROUPS=always >/etc/default/pman');
    inside('systemctl daemon-reload && systemctl restart pman');
    await answers();
    // Without the variable and without parents, only its group tells whose it is.
    const daemon = 'env -i setsid sleep 1234 >/dev/null 2>&1 </dev/null &';
    const id = run({ command: `${daemon} echo started; sleep 60`, shell: true });
    await eventually(() => textOf(id) === 'started', { message: 'the job to start' });
    const pid = await eventually(() => tried('pgrep -f "^sleep 1234"').text.trim());
    inside('systemctl restart pman');
    await answers();
    inside(`curl -sf ${API}/api/v2/jobs/${id}/kill -d '{}'`);
    expect(ended(id).state).toBe('killed');
    expect(runs(pid)).toBe(false);
  });
});
