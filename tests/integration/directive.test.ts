import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { within } from '../helpers/patience.ts';
import { endServer, makeGate, resultsOf, untilEnded } from '../helpers/pman.ts';
import { said } from '../helpers/said.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

describe('the directive file', () => {
  let server: TestServer;
  /** One whose file holds garbage from the start: it is given up only after some seconds. */
  let patient: TestServer;
  beforeAll(async () => {
    patient = await startServer();
    writeFileSync(patient.folders.directiveFile, '{"action": "run"\u0000\xff');
    server = await startServer({ flags: ['--listeners', '2'] });
  });
  afterAll(async () => {
    await endServer(patient);
    await endServer(server);
  });

  const file = () => server.folders.directiveFile;
  const asides = () =>
    readdirSync(dirname(file())).filter((name) => name.startsWith('d_msg.json.'));
  const run = (jid: string, cmd: string, extra: object = {}) =>
    JSON.stringify({ action: 'run', meta: { cmd, auid: 'd', jid, threaded: true, ...extra } });
  const gone = (timeoutMs = 1000) =>
    eventually(() => !existsSync(file()), { timeoutMs, message: 'the directive file to be taken' });

  it('is obeyed within a second, once, and removed', async () => {
    writeFileSync(file(), run('d1', 'echo x >> directive-1'));
    await gone();
    expect((await untilEnded(server, 'd1')).returncode).toEqual([0]);
    // A second look would come within this time.
    const until = performance.now() + 700;
    await eventually(() => performance.now() > until);
    expect(await resultsOf(server, 'd1')).toHaveLength(1);
    expect(readFileSync(join(server.folders.cwd, 'directive-1'), 'utf8')).toBe('x\n');
    expect(asides()).toEqual([]);
  });

  it('may come by rename, pretty-printed, one after the other', async () => {
    for (const jid of ['d2', 'd3', 'd4']) {
      writeFileSync(
        `${file()}-draft`,
        `${JSON.stringify(JSON.parse(run(jid, 'true')), null, 4)}\n`,
      );
      renameSync(`${file()}-draft`, file());
      await gone();
      expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
    }
  });

  it('is waited for while it is half-written', async () => {
    const text = run('d5', 'echo whole');
    writeFileSync(file(), text.slice(0, 20));
    const until = performance.now() + 800;
    await eventually(() => performance.now() > until);
    expect([existsSync(file()), asides()]).toEqual([true, []]);
    appendFileSync(file(), text.slice(20));
    await gone();
    expect((await untilEnded(server, 'd5')).stdout).toEqual(['whole\n']);
  });

  it('clears the database on request, as pman_do asks for', async () => {
    writeFileSync(file(), JSON.stringify({ action: 'DBctl', meta: { do: 'clear' } }, null, 4));
    await gone();
    await eventually(async () => (await resultsOf(server, 'd5')).length === 0);
  });

  it.each([
    ['an unknown action', '{"action": "nosuch", "meta": {}}'],
    ['a run without its fields', '{"action": "run", "meta": {}}'],
    ['a kill of no job', '{"action": "kill", "meta": {"key": "jid", "value": "none"}}'],
  ])('is moved aside and reported when it holds %s', async (_what, text) => {
    const rejected = () => asides().filter((name) => name.includes('.rejected-'));
    const before = rejected().length;
    writeFileSync(file(), text);
    await gone();
    await eventually(() => rejected().length === before + 1);
    await eventually(() => /directive file was rejected/.test(server.output.stderr));
    expect(readFileSync(join(dirname(file()), rejected().sort().at(-1) ?? ''), 'utf8')).toBe(text);
  });

  it('is left alone when it is a folder', async () => {
    mkdirSync(file());
    expect((await server.post('hello', { askAbout: 'timestamp' })).status).toBe(true);
    rmdirSync(file());
    writeFileSync(file(), run('d7', 'true'));
    await gone();
    await untilEnded(server, 'd7');
  });

  it('is not followed when it is a link to another file', async () => {
    const other = join(server.folders.home, 'other.json');
    writeFileSync(other, run('d8', 'true'));
    symlinkSync(other, file());
    const until = performance.now() + 700;
    await eventually(() => performance.now() > until);
    expect(await resultsOf(server, 'd8')).toEqual([]);
    renameSync(file(), `${file()}-link`);
  });

  it('does not keep pman from ending while its run goes on', async () => {
    const second = await startServer();
    const gate = makeGate(second);
    writeFileSync(second.folders.directiveFile, run('d9', gate.wait, { threaded: false }));
    await eventually(async () => (await resultsOf(second, 'd9'))[0]?.status === 'started');
    const started = performance.now();
    const exit = await second.stop(4000);
    expect(exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(within(1500));
    gate.open();
    second.endJobs();
  });

  it('may ask pman to quit', async () => {
    const second = await startServer();
    writeFileSync(second.folders.directiveFile, '{"action": "quit", "meta": {"saveDB": true}}');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(second.folders.directiveFile)).toBe(false);
  });

  it('is moved aside when it stays garbage, and pman goes on', async () => {
    const { directiveFile } = patient.folders;
    await eventually(() => !existsSync(directiveFile));
    const aside = readdirSync(dirname(directiveFile)).filter((name) => name.includes('.rejected-'));
    expect(aside).toHaveLength(1);
    await said(patient, /directive file was rejected/);
    writeFileSync(directiveFile, run('d6', 'true'));
    await untilEnded(patient, 'd6');
  });
});
