import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ContainerPman, type ContainerWish, newName } from '../helpers/containerPman.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { within } from '../helpers/patience.ts';
import { tempDir } from '../helpers/tempDir.ts';
import { type EngineName, type EngineUnderTest, engines } from './engines.ts';
import { documentEnds, expectedEnds, runSameJobs, stable } from './sameJobs.ts';

/**
 * What every engine has to do for container jobs, whatever it is. A new engine is a row in engines.ts and a file that
 * calls this: files run beside each other.
 */
export function holdToContract(engine: EngineName): void {
  const { name, missing, up } = engines[engine];
  describeWithEngine(name, missing, () => suite(engine, up));
}

const SECOND_MS = 1000;

/** Of what never ran: clients see an end, no exit code, and never success. */
const NEVER_RAN = { status: 'finishedWithError', output: '', exitCode: null };

function suite(engineName: EngineName, up: () => Promise<EngineUnderTest>): void {
  jest.setTimeout(240_000);
  let engine: EngineUnderTest;
  let pman: ContainerPman;
  const pmans: ContainerPman[] = [];
  const newPman = () => {
    const made = new ContainerPman(engine.open, engine.readShown, engine.image);
    pmans.push(made);
    return made;
  };

  beforeAll(async () => {
    engine = await up();
    pman = newPman();
  }, 240_000);
  afterEach(async () => {
    // What a test has left behind, also one that failed, must not meet the next one.
    await restore();
    await pman.jobs.endAll({ signal: 'SIGKILL', graceMs: 0, cause: 'the test is over' });
  });
  afterAll(async () => {
    for (const opened of pmans) await opened.close();
    await engine.close();
  }, 120_000);

  let isCut = false;
  const cut = async () => {
    isCut = true;
    await engine.cut();
  };
  const restore = async () => {
    if (isCut) await engine.restore();
    isCut = false;
  };
  const share = () => {
    const folder = tempDir();
    chmodSync(folder, 0o777);
    return folder;
  };
  /** Counts its runs, says that it is up, waits for the file `go`, and ends with 3. */
  const GATED =
    'sh -c "echo run >>/share/runs; echo up; while [ ! -e /share/go ]; do sleep 0.1; done; echo gone on; exit 3"';
  const gated = async (wish: ContainerWish = {}) => {
    const folder = share();
    const root = await pman.submit(GATED, { shareDir: folder, ...wish });
    const file = join(folder, 'runs');
    return {
      root,
      go: () => writeFileSync(join(folder, 'go'), ''),
      runs: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0),
    };
  };
  const lines = (...texts: readonly string[]) => texts.map((text) => `${text}\n`).join('');

  it('ends the same jobs in the same words as every other engine', async () => {
    const ends = await runSameJobs(pman, engine.open);
    if (process.env.PMAN_TEST_DOCUMENT) documentEnds(engineName, ends);
    expect(stable(ends)).toEqual(expectedEnds(engine.tellsOfProcesses));
  });

  describe('a job', () => {
    it('that does well ends well, with what it has written', async () => {
      const root = await pman.submit('sh -c "echo out; echo err >&2"');
      const { status, output, exitCode } = await pman.end(root);
      expect({ status, exitCode }).toEqual({ status: 'finishedSuccessfully', exitCode: 0 });
      expect(output.split('\n').sort()).toEqual(['', 'err', 'out']);
    });

    it('that could not be started has a time of its end, too', async () => {
      const before = Date.now();
      const job = await pman.end(await pman.submit('true', { image: 'local/nosuch' }));
      expect(job.endedAt).toBeGreaterThanOrEqual(before);
      expect(job.endedAt).toBeLessThanOrEqual(Date.now());
    });

    it('that fails ends with its exit code and says so', async () => {
      const job = await pman.end(await pman.submit('sh -c "echo before; exit 42"'));
      expect(job).toMatchObject({
        ...{ status: 'finishedWithError', output: lines('before'), exitCode: 42 },
        cause: expect.stringContaining('42'),
      });
    });

    it('that takes more memory than it may is ended, and its cause says memory', async () => {
      const job = await pman.end(
        await pman.submit('sh -c "sleep 0.5; tail /dev/zero"', { meta: { memory_limit: '16Mi' } }),
      );
      expect(job.status).toBe('finishedWithError');
      expect(job.cause).toMatch(/memory/);
    });

    it('reads what it was given, each worker all of it, whatever user runs it', async () => {
      if (!engine.givesInput) return;
      const stdin = `first\n$HOME '"\n${'é'.repeat(20_000)}`;
      const cmd = 'sh -c "id -u; wc -c; echo $0" \'a b\'';
      const limits = { stdin };
      const target = { user: '1000:1000' };
      const job = await pman.end(
        await pman.submit(cmd, { limits, target, meta: { number_of_workers: 2 } }),
      );
      expect(job).toMatchObject({ exitCode: 0, cause: '' });
      const words = job.output.split('\n').map((line) => line.trim());
      const each = (text: string) => words.filter((word) => word === text).length;
      // In memory there is no other user.
      expect(each('1000') === 2 || engineName === 'memory').toBe(true);
      expect([each(String(Buffer.byteLength(stdin))), each('a b')]).toEqual([2, 2]);
      expect((await pman.end(await pman.submit('cat'))).output).toBe('');
    });

    it('reads what it was given, also when pman was away before it started', async () => {
      if (!engine.givesInput) return;
      const folder = join(tempDir(), 'later');
      const root = await pman.submit('cat', { shareDir: folder, limits: { stdin: 'kept' } });
      await pman.restart();
      mkdirSync(folder);
      expect(await pman.end(root)).toMatchObject({ exitCode: 0, output: 'kept' });
    });

    it('that writes more than it may is ended, and its cause says so', async () => {
      const limits = { max_output: '10Ki' };
      const cause = 'it wrote more than it may: its limit is 10240 bytes';
      const endless = await pman.end(await pman.submit('yes', { limits }));
      expect(endless).toMatchObject({ status: 'finishedWithError', cause });
      expect(endless.output.length).toBeLessThan(11_000);
      // Too quick to be ended.
      const quick = 'sh -c "head -c 10241 /dev/zero | tr \'\\\\0\' x"';
      expect(await pman.end(await pman.submit(quick, { limits }))).toMatchObject({
        ...{ status: 'finishedWithError', cause },
      });
      const enough = 'sh -c "head -c 10240 /dev/zero | tr \'\\\\0\' x"';
      expect(await pman.end(await pman.submit(enough, { limits }))).toMatchObject({
        ...{ exitCode: 0, cause: '', output: 'x'.repeat(10_240) },
      });
    });

    it('that writes more than it may is ended also when pman was away meanwhile', async () => {
      const { root, go } = await gated({ limits: { max_output: '1Ki' } });
      await pman.written(root, 'up');
      await pman.restart();
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3, cause: 'non-zero exit (3)' });
      const loud = await pman.submit('sh -c "echo up; sleep 1; yes"', {
        limits: { max_output: '1Ki' },
      });
      await pman.written(loud, 'up');
      await pman.restart();
      expect((await pman.end(loud)).cause).toMatch(/^it wrote more than it may/);
    });

    it('whose image does not exist ends without having run, and names the image', async () => {
      const job = await pman.end(await pman.submit('true', { image: 'local/nosuch' }));
      expect(job).toMatchObject({ ...NEVER_RAN, cause: expect.stringContaining('local/nosuch') });
    });

    it('whose program does not exist ends without having run, and names the program', async () => {
      const job = await pman.end(await pman.submit('nosuchprogram'));
      expect(job).toMatchObject({ ...NEVER_RAN, cause: expect.stringContaining('nosuchprogram') });
    });

    it('that mounts a folder which does not exist ends without having run, unless the engine makes the folder', async () => {
      const missing = join(tempDir(), 'nosuch');
      const mounts = [{ source: missing, target: '/in' }];
      const job = await pman.end(await pman.submit('echo ran', { target: { mounts } }));
      if (engine.makesFolders) {
        expect(job).toMatchObject({ status: 'finishedSuccessfully', output: lines('ran') });
        expect(existsSync(missing)).toBe(true);
        return;
      }
      expect(job).toMatchObject({ ...NEVER_RAN, cause: expect.stringContaining(missing) });
    });

    it('of several workers fails when one of them fails, and has the output of all', async () => {
      const folder = share();
      const job = await pman.end(
        await pman.submit('sh -c "echo worker; mkdir /share/first 2>/dev/null || exit 5"', {
          shareDir: folder,
          meta: { number_of_workers: 3 },
        }),
      );
      expect(job).toMatchObject({ status: 'finishedWithError', exitCode: 5 });
      expect(job.output).toBe(lines('worker', 'worker', 'worker'));
    });

    it('that reads its input meets its end at once', async () => {
      const job = await pman.end(await pman.submit('sh -c "cat; echo read"'));
      expect(job).toMatchObject({ status: 'finishedSuccessfully', output: 'read\n', cause: '' });
    });

    it.each<readonly [string, { readonly tty?: boolean }, () => string]>([
      ['no terminal', {}, () => 'none\n'],
      ['one when it asks for it', { tty: true }, () => `one${engine.terminalLineEnd}`],
    ])('has %s', async (_, container, output) => {
      const cmd = 'sh -c "if [ -t 1 ]; then echo one; else echo none; fi"';
      const job = await pman.end(await pman.submit(cmd, { container }));
      expect(job).toMatchObject({ status: 'finishedSuccessfully', output: output() });
    });

    it('that somebody else removes at the engine ends without an exit code, and says so', async () => {
      const name = newName();
      const { root } = await gated({ name });
      await pman.written(root, 'up');
      const opened = await engine.open('somebody');
      await opened.remove({ name, handle: undefined });
      const { status, exitCode, cause, reason } = await pman.end(root);
      expect({ status, exitCode }).toEqual({ status: 'finishedWithError', exitCode: null });
      expect(cause).not.toBe('');
      expect(reason).toBe('lost');
    });

    it('that has ended takes nothing with it that is another job of the same name by then', async () => {
      const name = newName();
      const { root, go } = await gated({ name });
      await pman.written(root, 'up');
      const opened = await engine.open('somebody');
      await opened.remove({ name, handle: undefined }, 'another-job');
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3 });
    });

    it('has its environment', async () => {
      const target = { env: { WHO: 'me & "you"', EMPTY: '' } };
      const job = await pman.end(await pman.submit(`sh -c 'echo "$WHO[$EMPTY]"'`, { target }));
      expect(job.output).toBe(lines('me & "you"[]'));
    });

    it('starts in the folder that it asks for, each worker', async () => {
      const meta = { number_of_workers: 2 };
      const job = await pman.end(await pman.submit('pwd', { meta, limits: { cwd: '/tmp' } }));
      expect(job.output.replaceAll('\r', '')).toBe(lines('/tmp', '/tmp'));
    });

    it('keeps words that a shell would change', async () => {
      const job = await pman.end(await pman.submit(`echo 'a  b' "c;d" $HOME \\* "e\\"f"`));
      expect(job.output).toBe(lines('a  b c;d $HOME * e"f'));
    });

    it('keeps 10 MB of output: its beginning and its end, of the size that a record holds', async () => {
      const job = await pman.end(
        await pman.submit(
          'sh -c "echo first; head -c 10000000 /dev/zero | tr \'\\\\000\' x; echo; echo last"',
        ),
      );
      expect(job.status).toBe('finishedSuccessfully');
      expect(job.output.length).toBeGreaterThan(1_000_000);
      expect(job.output.length).toBeLessThan(1_100_000);
      expect(job.output.startsWith(lines('first'))).toBe(true);
      expect(job.output.endsWith(lines('last'))).toBe(true);
    });

    it('whose output is not UTF-8 ends, and the rest of the output is there', async () => {
      const job = await pman.end(await pman.submit(`printf 'a\\377b\\n'`));
      expect(job.status).toBe('finishedSuccessfully');
      expect(job.output).toBe('a\uFFFDb\n');
    });
  });

  describe('a name', () => {
    it('that the engine does not take is refused, and nothing is accepted', async () => {
      await expect(pman.submit('true', { name: engine.badName })).rejects.toMatchObject({
        code: 'bad_request',
        message: expect.stringContaining('cannot name'),
      });
    });

    it('with capitals, digits, "-" and "_" is taken', async () => {
      const name = `${newName()}-A_9z`;
      const job = await pman.end(await pman.submit('echo fine', { name }));
      expect(job.output).toBe(lines('fine'));
    });

    it('of one character is taken: clients count their jobs from 1', async () => {
      const meta = { number_of_workers: 2 };
      const root = await pman.submit('sh -c "echo up; sleep 600"', { name: '7', meta });
      await pman.written(root, 'up');
      await expect(pman.submit('true', { name: '7' })).rejects.toMatchObject({ code: 'conflict' });
      await pman.kill(root);
      // 137, or null where what is killed is removed.
      expect((await pman.end(root)).status).toBe('finishedWithError');
      const next = await pman.end(await pman.submit('echo fine', { name: '7' }));
      expect(next.output).toBe(lines('fine'));
    });

    it('of a job that runs is refused with a conflict that names the job; its end frees it', async () => {
      const name = newName();
      const first = await gated({ name });
      await pman.written(first.root, 'up');
      await expect(pman.submit('true', { name })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(first.root),
      });
      first.go();
      await pman.end(first.root);
      const second = await pman.end(await pman.submit('echo second', { name }));
      expect(second.output).toBe(lines('second'));
    });

    it('of a job of another pman is left alone', async () => {
      const name = newName();
      const other = newPman();
      const root = await other.submit('sh -c "echo up; sleep 600"', { name });
      await other.written(root, 'up');
      await expect(pman.submit('true', { name })).rejects.toMatchObject({ code: 'conflict' });
      // What it writes may be seen before the engine tells that it runs.
      await eventually(async () => (await other.see(root)).status === 'started');
      await other.kill(root);
    });

    it.each([
      ['a blank and quotes', 'a b "c\''],
      ['other letters', 'ünïcode 🙂'],
      ['what labels have a meaning for', 'a=b,c;d/e'],
      ['500 characters', 'x'.repeat(500)],
      ['nothing', ''],
    ])('of a user may hold %s', async (_, auid) => {
      const job = await pman.end(await pman.submit('echo fine', { auid }));
      expect(job).toMatchObject({ status: 'finishedSuccessfully', output: lines('fine') });
    });
  });

  describe('output', () => {
    const follow = async (root: string, onText: (text: string) => void = () => undefined) => {
      const record = pman.database.tree(root);
      if (record === undefined) throw new Error('there is no record');
      let text = '';
      const asked = { stream: 'stdout', part: undefined } as const;
      for await (const bytes of pman.jobs.follow(
        root,
        record,
        asked,
        new AbortController().signal,
      )) {
        text += bytes.toString();
        onText(text);
      }
      return text;
    };

    it('can be followed: it comes while the job runs, and whole', async () => {
      const { root, go } = await gated();
      const text = await follow(root, (soFar) => {
        if (soFar.includes('up')) go();
      });
      expect(text).toBe(lines('up', 'gone on'));
    });

    it('that is followed goes on behind a lost connection, with nothing twice', async () => {
      const { root, go } = await gated();
      let isCut = false;
      const text = await follow(root, (soFar) => {
        if (isCut || !soFar.includes('up')) return;
        isCut = true;
        void cut().then(restore).then(go);
      });
      expect(text).toBe(lines('up', 'gone on'));
    });
  });

  describe('the end of a job', () => {
    const kill = (root: string, signal: NodeJS.Signals = 'SIGTERM', graceMs = 20_000) =>
      pman.jobs.kill(root, { signal, graceMs, cause: 'ended by the test' });

    it('ordered while it runs comes by the signal, with its last words', async () => {
      const root = await pman.submit(
        `sh -c "trap 'echo bye; exit 9' TERM; echo up; while true; do sleep 0.1; done"`,
      );
      await pman.written(root, 'up');
      expect(await kill(root)).toBe(true);
      expect(await pman.end(root)).toMatchObject({
        ...{ status: 'finishedWithError', cause: 'ended by the test', exitCode: 9 },
        output: lines('up', 'bye'),
      });
      expect(await kill(root)).toBe(false);
    });

    it('comes by SIGKILL after the grace when the signal is ignored', async () => {
      const root = await pman.submit(
        `sh -c "trap '' TERM; echo up; while true; do sleep 0.1; done"`,
      );
      await pman.written(root, 'up');
      await kill(root, 'SIGTERM', 300);
      expect(await pman.end(root)).toMatchObject({
        ...{ status: 'finishedWithError', cause: 'ended by the test', output: lines('up') },
      });
    });

    it('ordered while it waits for a folder keeps it from running', async () => {
      const root = await pman.submit('true', { shareDir: join(tempDir(), 'nosuch') });
      expect((await pman.see(root)).note).toContain('waits for the folder');
      expect(await kill(root)).toBe(true);
      expect(await pman.end(root)).toMatchObject({
        ...{ status: 'finishedWithError', cause: 'ended by the test before it started' },
      });
    });

    it('ordered as soon as it is accepted comes, whether or not it has begun to run', async () => {
      const { root, runs } = await gated();
      expect(await kill(root, 'SIGKILL', 0)).toBe(true);
      const job = await pman.end(root);
      expect(job.status).toBe('finishedWithError');
      expect(job.cause).toMatch(/^ended by the test/);
      expect(runs()).toBeLessThanOrEqual(1);
    });

    it('is refused while the engine is away, and the job goes on', async () => {
      const { root, go } = await gated();
      await pman.written(root, 'up');
      await cut();
      await expect(kill(root)).rejects.toMatchObject({ code: 'unavailable' });
      await restore();
      go();
      const job = await pman.end(root);
      expect(job).toMatchObject({ exitCode: 3, output: lines('up', 'gone on') });
      expect(job.cause).not.toContain('the test');
    });

    it('comes by the time limit, which the cause names', async () => {
      const root = await pman.submit('sh -c "echo up; sleep 600"', { limits: { timeout: 2 } });
      const job = await pman.end(root);
      expect(job).toMatchObject({ status: 'finishedWithError', cause: 'time limit 2 s' });
    });

    it('of all jobs is waited for, and leaves nothing of them at the engine', async () => {
      const name = newName();
      const running = await gated({ name });
      await pman.written(running.root, 'up');
      const waiting = await pman.submit('true', { shareDir: join(tempDir(), 'nosuch') });
      expect(pman.jobs.counts).toEqual({ running: 1, waiting: 1 });
      await pman.jobs.endAll({ signal: 'SIGTERM', graceMs: 1000, cause: 'ended with pman' });
      expect(pman.jobs.counts).toEqual({ running: 0, waiting: 0 });
      expect(await pman.see(running.root)).toMatchObject({ cause: 'ended with pman' });
      expect(await pman.see(waiting)).toMatchObject({ cause: 'ended with pman before it started' });
      const opened = await engine.open('somebody');
      expect(await opened.owner(name)).toBeUndefined();
    });
  });

  describe('a restart of pman', () => {
    it('while a job waits for its folder loses nothing', async () => {
      const folder = join(tempDir(), 'later');
      const root = await pman.submit('echo there', { shareDir: folder });
      await pman.restart();
      expect(await pman.see(root)).toMatchObject({ status: 'notstarted' });
      mkdirSync(folder);
      expect(await pman.end(root)).toMatchObject({
        ...{ status: 'finishedSuccessfully', output: lines('there') },
      });
    });

    it('right after a job was accepted runs it, and not twice', async () => {
      const { root, go, runs } = await gated();
      await pman.restart();
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3 });
      expect(runs()).toBe(1);
    });

    it('while a job runs goes on with it', async () => {
      const { root, go, runs } = await gated();
      await pman.written(root, 'up');
      // An engine may tell of the output before it tells that the job runs.
      await eventually(async () => (await pman.see(root)).status === 'started', {
        message: 'the job to be seen running',
      });
      await pman.restart();
      expect(await pman.see(root)).toMatchObject({ status: 'started', output: lines('up') });
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3, output: lines('up', 'gone on') });
      expect(runs()).toBe(1);
    });

    it('learns of an end that came meanwhile, and when that was', async () => {
      const name = newName();
      const { root, go } = await gated({ name });
      await pman.written(root, 'up');
      await pman.close(0);
      const before = Date.now();
      go();
      const opened = await engine.open('somebody');
      const work = { name, handle: undefined };
      const kind = async () => (await opened.look([work])).get(name)?.kind;
      await eventually(async () => (await kind()) === 'ended', { message: 'the job to end' });
      const after = Date.now();
      // Kubernetes tells times to the second: only after another one it can be seen whose time it is.
      await eventually(() => Date.now() > after + SECOND_MS, { message: 'a second to pass' });
      await pman.restart();
      const job = await pman.end(root);
      expect(job).toMatchObject({ exitCode: 3, output: lines('up', 'gone on') });
      expect(job.endedAt).toBeGreaterThanOrEqual(before - SECOND_MS);
      expect(job.endedAt).toBeLessThanOrEqual(after);
    });

    it('while a job is being ended sees to it that it ends', async () => {
      const root = await pman.submit(
        `sh -c "trap '' TERM; echo up; while true; do sleep 0.1; done"`,
      );
      await pman.written(root, 'up');
      await pman.jobs.kill(root, {
        signal: 'SIGTERM',
        graceMs: 600_000,
        cause: 'ended by the test',
      });
      await pman.restart();
      expect(await pman.end(root)).toMatchObject({ cause: 'ended by the test' });
    });
  });

  describe('an engine', () => {
    it('tells the name of what has changed, of its start or its end', async () => {
      const told = new Set<string>();
      const stop = new AbortController();
      const opened = await engine.open('somebody');
      await new Promise<void>((resolve, reject) => {
        const options = { signal: stop.signal, onOpen: resolve };
        opened.changes((name) => told.add(name), options).catch(reject);
      });
      const name = newName();
      await pman.end(await pman.submit('true', { name }));
      await eventually(() => told.has(name));
      stop.abort();
    });

    it('that is away refuses new jobs, tells the others what was known, and loses none', async () => {
      const { root, go, runs } = await gated();
      await pman.written(root, 'up');
      // What is known later is what has been seen before.
      await eventually(async () => (await pman.see(root)).status === 'started');
      await cut();
      const seen = await pman.see(root);
      expect(seen).toMatchObject({ status: 'started', note: expect.stringContaining('no answer') });
      await expect(pman.submit('true')).rejects.toMatchObject({ code: 'unavailable' });
      await restore();
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3 });
      expect(runs()).toBe(1);
    });

    it('that falls silent is answered for in time', async () => {
      const { root, go, runs } = await gated();
      await pman.written(root, 'up');
      await eventually(async () => (await pman.see(root)).status === 'started');
      engine.silence();
      const begin = Date.now();
      const seen = await pman.see(root);
      expect(Date.now() - begin).toBeLessThan(within(20_000));
      expect(seen).toMatchObject({
        status: 'started',
        note: expect.stringMatching(/no(t)? answer/),
      });
      engine.speak();
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3 });
      expect(runs()).toBe(1);
    });

    it('that is lost just when it starts a job runs it once', async () => {
      const { root, go, runs } = await gated();
      await cut();
      await restore();
      go();
      expect(await pman.end(root)).toMatchObject({ exitCode: 3 });
      expect(runs()).toBe(1);
    });

    it('that is restarted while it starts a job gives that an end, and does not run it twice', async () => {
      const { root, go, runs } = await gated();
      await engine.restart();
      go();
      const { status, exitCode, cause } = await pman.end(root);
      expect(runs()).toBeLessThanOrEqual(1);
      if (exitCode !== 3) expect(status).toBe('finishedWithError');
      expect(exitCode).not.toBe(0);
      expect(cause).not.toBe('');
    });

    it('that is restarted while a job is being ended ends it all the same', async () => {
      const root = await pman.submit(
        `sh -c "trap '' TERM; echo up; while true; do sleep 0.1; done"`,
      );
      await pman.written(root, 'up');
      const order = { signal: 'SIGTERM', graceMs: 1000, cause: 'ended by the test' } as const;
      await pman.jobs.kill(root, order);
      await engine.restart();
      expect(await pman.end(root)).toMatchObject({ cause: 'ended by the test' });
    });

    it('that is restarted gives every job an end, and runs none twice', async () => {
      const running = await gated();
      await pman.written(running.root, 'up');
      const waiting = join(tempDir(), 'later');
      const awaiting = await pman.submit('echo there', { shareDir: waiting });
      await engine.restart();
      running.go();
      mkdirSync(waiting);
      expect(await pman.end(awaiting)).toMatchObject({ status: 'finishedSuccessfully' });
      const job = await pman.end(running.root);
      expect(job.status).toBe('finishedWithError');
      expect(job.exitCode).not.toBe(0);
      expect(job.cause).not.toBe('');
      expect(running.runs()).toBe(1);
    });
  });
}
