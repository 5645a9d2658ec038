import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ANYBODY } from '../../../../lib/access/caller.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import { newRecord } from '../../../../lib/records/record.ts';
import { dispatch } from '../../../../lib/server/dispatch.ts';
import type { JsonObject, JsonValue } from '../../../../lib/wire/json.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
let good = '';
let bad = '';
beforeEach(() => {
  host = openServices();
  good = host.addEnded('good', 'me', 0);
  bad = host.addEnded('bad', 'me', 3);
});
afterEach(() => host.close());

const ask = async (action: string, rawMeta: JsonObject) =>
  dispatch(host.services, { action, rawMeta, threaded: false }, { caller: ANYBODY });
const resultOf = async (action: string, meta: JsonObject) => (await ask(action, meta)).result;
const me = { key: 'auid', value: 'me' };
const nobody = { key: 'auid', value: 'nobody' };
const unknown = expect.objectContaining({ code: 'not_found', message: 'no job has auid "nobody"' });

describe('status and done', () => {
  const states = () => ({
    '0.container': { jobRoot: good, tree: null },
    '0.start': { jobRoot: good, startTrigger: [true] },
    '0.end': { jobRoot: good, returncode: [0] },
    '1.container': { jobRoot: bad, tree: null },
    '1.start': { jobRoot: bad, startTrigger: [true] },
    '1.end': { jobRoot: bad, returncode: [3] },
  });
  const none = {
    '-1.start': { jobRoot: null, startTrigger: null },
    '-1.end': { jobRoot: null, returncode: null },
    '-1.container': { jobRoot: null, tree: null },
  };

  it('tell the state of every hit, oldest first', async () => {
    expect(await ask('done', me)).toEqual({ status: true, result: states() });
    const { status, result } = await ask('status', me);
    expect(status).toBe(true);
    expect(result).toEqual({
      ...states(),
      l_status: ['finishedSuccessfully', 'finishedWithError'],
      l_logs: [],
    });
    expect(Object.keys(result as JsonObject)).toEqual([
      ...Object.keys(states()),
      'l_status',
      'l_logs',
    ]);
  });

  it('tell the newest state, however often they were asked before', async () => {
    const one = { key: 'jid', value: 'good' };
    const word = async () => ((await resultOf('status', one)) as JsonObject).l_status;
    expect([await word(), await word()]).toEqual(
      ['finishedSuccessfully', 'finishedSuccessfully'].map((each) => [each]),
    );
    host.services.database.edit(good)?.touch(['lost'], true);
    expect(await word()).toEqual(['finishedWithError']);
    expect(await resultOf('status', one)).toBe(await resultOf('status', one));
    expect(await ask('status', { ...one, limit: 1 })).toMatchObject({
      page: { total: 1, limit: 1 },
    });
    expect(await ask('status', one)).not.toHaveProperty('page');
    expect(await resultOf('status', me)).toMatchObject({
      ...states(),
      l_status: ['finishedWithError', 'finishedWithError'],
    });
  });

  it('tell of a job that waits what is true at the moment', async () => {
    const { database, jobs } = host.services;
    const job = { cmd: 'true', auid: 'me', jid: 'waits' };
    database.add(newJobRoot(Date.now()), newRecord({ ...job, rawMeta: job }));
    let place: number | undefined = 3;
    jest.spyOn(jobs, 'place').mockImplementation(() => place);
    const shown = async () => {
      const result = await resultOf('status', { key: 'jid', value: 'waits' });
      return (result as { readonly [name: string]: JsonObject })['0.start']?.place;
    };
    expect(await shown()).toBe(3);
    place = 2;
    expect(await shown()).toBe(2);
    place = undefined;
    expect(await shown()).toBeUndefined();
    place = 1;
    expect(await shown()).toBe(1);
  });

  it('say so when there is no hit', async () => {
    expect(await ask('done', nobody)).toEqual({ status: false, result: none, error: unknown });
    expect(await ask('status', nobody)).toEqual({
      status: false,
      error: unknown,
      result: { ...none, l_status: [], l_logs: [] },
    });
  });

  it('do not take a job that lacks the key for a hit of false', async () => {
    expect((await ask('done', { key: 'nosuch', value: false })).status).toBe(false);
  });
});

describe('info', () => {
  it('tells the newest start and end of every hit', async () => {
    expect(await resultOf('info', me)).toEqual({
      '0.0': { [good]: { startInfo: { allJobsStarted: true } } },
      '0.1': { [good]: { endInfo: { allJobsDone: true } } },
      '1.0': { [bad]: { startInfo: { allJobsStarted: true } } },
      '1.1': { [bad]: { endInfo: { allJobsDone: true } } },
    });
    expect(await ask('info', nobody)).toEqual({
      status: false,
      error: unknown,
      result: { '-1': { noJobFound: { endInfo: { allJobsDone: null } } } },
    });
  });
});

describe('search', () => {
  const code = (value: JsonValue) => ({
    '0': { [bad]: { end: { '0': { endInfo: { '0': value } } } } },
  });

  it.each<[JsonObject, () => JsonValue]>([
    [{}, () => ({ '0': { [bad]: { jid: 'bad' } } })],
    [{ path: '/cmd' }, () => ({ '0': { [bad]: { cmd: 'exit 3' } } })],
    [{ path: 'cmd/' }, () => ({ '0': { [bad]: { cmd: 'exit 3' } } })],
    [{ path: '/nosuch' }, () => ({ '0': { [bad]: { nosuch: false } } })],
    [{ job: 0, field: 'returncode' }, () => code({ returncode: 3 })],
    [{ job: '0', field: 'stderr', path: '/cmd' }, () => code({ stderr: 'err\n' })],
    [{ job: 0 }, () => code(expect.objectContaining({ returncode: 3 }) as unknown as JsonValue)],
    [
      { job: 7, field: 'x' },
      () => ({ '0': { [bad]: { end: { '7': { endInfo: { '7': { x: false } } } } } } }),
    ],
  ])('with %j reads that place', async (more, meant) => {
    expect(await resultOf('search', { key: 'jid', value: 'bad', ...more })).toEqual(meant());
  });

  it('reads the start when asked to', async () => {
    const meta = { key: 'jid', value: 'bad', job: 0, when: 'start', field: 'cmd' };
    expect(await resultOf('search', meta)).toEqual({
      '0': { [bad]: { start: { '0': { startInfo: { '0': { cmd: 'exit 3' } } } } } },
    });
  });

  it('counts the hits, and says when there is none', async () => {
    expect(Object.keys((await resultOf('search', me)) as JsonObject)).toEqual(['0', '1']);
    expect(await ask('search', nobody)).toEqual({
      status: false,
      result: {},
      error: unknown,
    });
  });
});

describe('get', () => {
  it('reads as a GET does, and always says true', async () => {
    for (const path of ['/', '']) {
      expect(await resultOf('get', { path })).toEqual({ [good]: {}, [bad]: {} });
    }
    expect(await resultOf('get', { path: '/_1/jobCount' })).toEqual({ [bad]: { jobCount: 1 } });
    expect(await ask('get', { path: '/nosuch' })).toEqual({ status: true, result: false });
    expect(await ask('get', { path: '/_9' })).toEqual({ status: true, result: false });
  });
});

describe('result', () => {
  it('tells what the sub-jobs wrote and how they ended', async () => {
    expect(await resultOf('result', { key: 'jid', value: 'bad' })).toEqual({
      '0': {
        jobRoot: bad,
        status: 'finishedWithError',
        cmd: ['exit 3'],
        returncode: [3],
        stdout: ['out\n'],
        stderr: ['err\n'],
        cause: [null],
      },
    });
  });
});

describe('result, kill and delete', () => {
  it.each(['result', 'kill', 'delete'])(
    '%s answers 404 when there is no such job',
    async (action) => {
      await expect(ask(action, nobody)).rejects.toMatchObject({
        code: 'not_found',
        message: 'no job has auid "nobody"',
      });
    },
  );

  it('kill tells that a job had ended, and leaves its record as it was', async () => {
    const before = host.services.database.tree(bad)?.toJson();
    expect(await ask('kill', { key: 'jid', value: 'bad', signal: 'int' })).toEqual({
      status: false,
      result: { '0': { jobRoot: bad, killed: false, signal: 'SIGINT' } },
      jobs: [bad],
    });
    expect(host.services.database.tree(bad)?.toJson()).toEqual(before);
  });

  it('delete removes the jobs of that jid and no other', async () => {
    const second = host.addEnded('bad', 'you', 0);
    expect(await ask('delete', { value: 'bad' })).toEqual({
      jobs: [bad, second],
      status: true,
      result: { action: 'Delete Job', job_id: 'bad', status: 'Job deleted successfully' },
    });
    expect([...host.services.database.roots()]).toEqual([good]);
    expect(host.services.database.tree(second)).toBeUndefined();
  });
});

describe('hello', () => {
  it('tells its name and what it is asked about', async () => {
    expect(await ask('hello', {})).toEqual({
      status: false,
      result: {},
    });
    const self = { name: 'pman', version: expect.any(String) };
    expect(await ask('hello', { askAbout: 'nosuch' })).toEqual({ status: false, result: self });
    const listed = await ask('hello', { askAbout: ['timestamp'] });
    expect(listed).toEqual({ status: false, result: self });
    expect(await ask('hello', { askAbout: 'timestamp' })).toEqual({
      status: true,
      result: { ...self, timestamp: { now: expect.stringMatching(/^\d{14}\.\d{6}$/) } },
    });
    const echoBack = { any: ['thing', null] };
    expect(await resultOf('hello', { askAbout: 'echoBack', echoBack })).toMatchObject({
      echoBack: { msg: echoBack },
    });
  });

  it('tells about the machine what psutil tells', async () => {
    const { sysinfo } = (await resultOf('hello', { askAbout: 'sysinfo' })) as {
      sysinfo: Record<string, JsonValue>;
    };
    expect(Object.keys(sysinfo)).toEqual([
      ...['system', 'machine', 'platform', 'uname', 'version', 'memory', 'cpucount', 'loadavg'],
      ...['cpu_percent', 'hostname', 'inet'],
    ]);
    const [total = 0, available = 0, percent = 0, ...rest] = sysinfo.memory as number[];
    expect(rest).toHaveLength(8);
    expect(total).toBeGreaterThan(available);
    expect(percent).toBeCloseTo(((total - available) / total) * 100, 0);
    expect(sysinfo.uname).toHaveLength(6);
    expect(sysinfo.inet).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });
});

describe('fileiosetup and quit', () => {
  it('tells where the files go', async () => {
    expect(await resultOf('fileiosetup', { serveforever: 'yes' })).toEqual({
      fileioIP: '127.0.0.1',
      fileioport: '5055',
      serveforever: 'yes',
    });
  });

  it('quit ends the server, whatever saveDB says', async () => {
    expect(await ask('quit', { saveDB: false })).toEqual({ status: true, result: {} });
    expect(host.quits()).toBe(1);
  });
});
