import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { endServer, type resultOf } from '../helpers/pman.ts';
import { builtProgram, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const run = async (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const cwd = tempDir();
  const child = new Child([...builtProgram(program), ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
  });
  const { code } = await child.within(20_000);
  return { code, ...child.output };
};

describe('a command line', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => endServer(server));

  const outputs = async (cmd: string, meta: object = {}) => {
    const { d_ret } = await server.post('run', { cmd, auid: 'a', jid: 'j', ...meta });
    const { id } = d_ret as { id: string };
    const { d_ret: found } = await server.post('result', { key: 'id', value: id });
    const job = (found as Record<string, Awaited<ReturnType<typeof resultOf>>>)[0];
    return { stdout: job?.stdout, returncode: job?.returncode };
  };

  it('has a shell of its own for each part, unless one shell is to have it as a whole', async () => {
    const cmd = 'cd /; pwd; x=5; echo "[$x]"; exit 3; echo after';
    expect((await outputs(cmd)).stdout).not.toContain('/\n');
    expect(await outputs(cmd, { shell: true })).toEqual({ stdout: ['/\n[5]\n'], returncode: [3] });
    expect((await outputs(cmd)).returncode).toHaveLength(6);
  });

  it('is refused with a shell that is neither true nor false', async () => {
    const reply = await server.post('run', { cmd: 'x', auid: 'a', jid: 'j', shell: 'bash' });
    expect(JSON.stringify(reply.error)).toContain('meta.shell');
  });
});

describe('with tokens', () => {
  it('the health is told to who has none, and nothing else; localhost is listened on as well', async () => {
    const tokenPath = join(tempDir(), 'tokens');
    writeFileSync(tokenPath, 'hunter2\n', { mode: 0o600 });
    const server = await startServer({
      flags: ['--enableTokenAuth', '--tokenPath', tokenPath],
    });
    try {
      const at = `http://localhost:${server.port}/api/v1`;
      const health = await fetch(`${at}/hello`, { headers: { 'X-Mark': 'mark' } });
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({
        ...{ RESTheader: '', RESTverb: '', path: '', receivedByServer: [] },
        d_ret: { health: { ok: true } },
      });
      expect((await fetch(`${at}/hello?askAbout=health`)).status).toBe(200);
      for (const place of ['', '/hello?askAbout=sysinfo', '/hello/x', '/_0/cmd'])
        expect((await fetch(at + place)).status).toBe(401);
      const wrong = { Authorization: 'Bearer nope' };
      expect((await fetch(`${at}/hello`, { headers: wrong })).status).toBe(401);
      const posted = await fetch(`${at}/hello`, { method: 'POST', body: '{}' });
      expect(posted.status).toBe(401);
    } finally {
      await endServer(server);
    }
  });
});

describe('a start that is refused', () => {
  it('leaves nothing behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const folder = mkdtempSync(join(tempDir(), 'refused-'));
    try {
      const flags = ['--DBpath', join(folder, 'deep/er/db'), '--directiveFile', `${folder}/d.json`];
      const { code, stderr } = await run('pman', [...flags, '--port', port]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(port) });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      taken.close();
    }
  });
});

describe('the programs', () => {
  it.each(['pman', 'pman_do', 'pfioh', 'purl', 'crunner', 'swarm', 'pman_health'])(
    'describe themselves with -x, and in short with -y: %s',
    async (program) => {
      for (const flag of ['-x', '-y']) {
        const { code, stdout } = await run(program, [flag]);
        expect({ flag, code, stdout }).toEqual({
          ...{ flag, code: 0 },
          stdout: expect.stringMatching(new RegExp(program === 'pman_health' ? 'pman' : program)),
        });
      }
    },
  );

  it.each(['pman', 'pman_do', 'pfioh', 'purl', 'swarm', 'crunner'])(
    'show no default that says nothing: %s --help',
    async (program) => {
      const { stdout } = await run(program, ['--help']);
      expect(stdout).toMatch(/--version/);
      expect(stdout).not.toMatch(/\(default: (""|false)?\)/);
    },
  );

  it.each(['swarm', 'pman_do'])(
    'print their usage when there is nothing to do: %s',
    async (program) => {
      const { code, stderr } = await run(program, []);
      expect(code).toBe(2);
      expect(stderr).toMatch(/nothing to/);
      expect(stderr).toMatch(/usage/i);
    },
  );
});

it('folders of a database that is used again stay when a start is refused', async () => {
  const folders = makeFolders();
  const server = await startServer({ folders });
  await expect(startServer({ folders })).rejects.toThrow('another pman works in');
  expect(readdirSync(folders.root)).toEqual(expect.arrayContaining(['db', 'db.spool']));
  await endServer(server);
});
