import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { StandInEngine } from '../helpers/standInEngine.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('pman doctor', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const checksOf = async (argv: string[], env = {}) => {
    const { code, stdout } = await pmanVerb(server, ['doctor', '--json', ...argv], { env });
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; state: string; text: string; hint?: string }[];
    };
    return { code, stdout, checks: new Map(checks.map((check) => [check.name, check])) };
  };

  it('looks at the server, the clock, the disk, what runs jobs, and their limits', async () => {
    const { checks } = await checksOf([]);
    expect([...checks.keys()]).toEqual(
      expect.arrayContaining([
        'server',
        'token',
        'clock',
        'database',
        'disk',
        'host',
        'limits',
        'contexts',
      ]),
    );
    expect(checks.get('server')?.text).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+, pman 3\.\d+\.\d+, answered in \d+ ms/,
    );
    for (const name of ['server', 'clock', 'database', 'host']) {
      expect([name, checks.get(name)?.state]).toEqual([name, 'ok']);
    }
    expect(checks.get('database')?.text).toBe('can be written, 0 jobs');
  });

  it('ends with 1 when there is no server, and says what to do', async () => {
    const { code, checks } = await checksOf(['--server', 'http://127.0.0.1:9']);
    expect(code).toBe(1);
    expect(checks.get('server')).toMatchObject({
      ...{ state: 'failed', hint: expect.stringContaining('pman serve') },
      text: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('tells a token that is wrong, and never shows it', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    writeFileSync(tokenPath, 'the-right-token-of-all\n', { mode: 0o600 });
    const guarded = await startServer({
      folders,
      flags: ['--enableTokenAuth', '--tokenPath', tokenPath],
    });
    const url = `http://127.0.0.1:${guarded.port}`;
    const wrong = await checksOf([], { PMAN_URL: url, PMAN_TOKEN: 'a-wrong-token' });
    expect([wrong.code, wrong.checks.get('token')?.state]).toEqual([1, 'failed']);
    expect(wrong.stdout).not.toContain('a-wrong-token');
    const right = await checksOf([], { PMAN_URL: url, PMAN_TOKEN: 'the-right-token-of-all' });
    expect(right.checks.get('token')).toMatchObject({ state: 'ok', text: 'is taken' });
    expect(right.stdout).not.toContain('the-right-token-of-all');
    await endServer(guarded);
  });

  it('names the contexts and keeps their tokens', async () => {
    const config = join(server.folders.root, 'config');
    mkdirSync(join(config, 'pman'), { recursive: true });
    const url = `http://127.0.0.1:${server.port}`;
    const contexts = { lab: { url, token: 'secret-of-the-lab' }, home: { url } };
    writeFileSync(
      join(config, 'pman/contexts.json'),
      JSON.stringify({ current: 'lab', contexts }),
      { mode: 0o600 },
    );
    const { checks, stdout } = await checksOf([], { XDG_CONFIG_HOME: config, PMAN_URL: '' });
    expect(checks.get('contexts')).toMatchObject({ state: 'ok', text: 'lab (current), home' });
    expect(stdout).not.toContain('secret-of-the-lab');
  });

  describe('and an engine of containers', () => {
    const engineOf = async (flags: readonly string[], socket: string) => {
      const server = await startServer({ flags, env: { DOCKER_HOST: `unix://${socket}` } });
      const { code, checks } = await checksOf([], { PMAN_URL: `http://127.0.0.1:${server.port}` });
      await endServer(server);
      return { code, checks };
    };

    it('that answers is well; gone, silent or refusing it is what is wrong', async () => {
      const socket = join(tempDir(), 'engine.sock');
      const engine = await StandInEngine.at(socket);
      const own = await startServer({
        ...{ flags: ['--container-env', 'docker'], env: { DOCKER_HOST: `unix://${socket}` } },
      });
      const env = { PMAN_URL: `http://127.0.0.1:${own.port}` };
      const stand = async () => (await checksOf([], env)).checks.get('docker');
      try {
        expect(await stand()).toEqual({
          ...{ name: 'docker', state: 'ok', text: 'answers, runs images' },
        });
        engine.refuse();
        await eventually(async () => (await stand())?.text.includes('out of order'));
        engine.keepSilent();
        await eventually(async () => (await stand())?.text.includes('has not answered'));
        // Seconds went by while the engine was asked.
        expect((await checksOf([], env)).checks.get('clock')?.state).toBe('ok');
        await engine.close();
        await eventually(async () => (await stand())?.text.includes('no answer from unix://'));
        const { code, checks } = await checksOf([], env);
        expect(code).toBe(1);
        expect(checks.get('docker')).toMatchObject({
          ...{ state: 'failed', hint: expect.stringContaining('Is the Docker Engine running') },
          text: expect.stringMatching(/^runs no images now: no answer from unix:/),
        });
      } finally {
        await engine.close();
        await endServer(own);
      }
    });

    it('that nobody has asked for, and that is not there, is said and is no fault', async () => {
      const nowhere = join(tempDir(), 'none.sock');
      const unasked = await engineOf([], nowhere);
      expect(unasked.checks.get('swarm')).toMatchObject({
        ...{ state: 'none', text: expect.stringMatching(/^runs no images now: .*ENOENT/) },
      });
      const asked = await engineOf(['--container-env', 'docker'], nowhere);
      expect([asked.code, asked.checks.get('docker')?.state]).toEqual([1, 'failed']);
    });
  });
});
