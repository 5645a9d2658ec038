import { execFile, spawnSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { builtProgram, makeFolders, startServer, TestServer } from '../helpers/startServer.ts';

/** Runs pman_health with those flags. */
function health(...flags: readonly string[]) {
  const [program = '', ...args] = builtProgram('pman_health');
  const { status, stdout, stderr } = spawnSync(program, [...args, ...flags], { encoding: 'utf8' });
  return { status, text: (stdout || stderr).trim() };
}

/** The same while this process goes on; gives what it says on standard error. */
function healthLater(...flags: readonly string[]): Promise<string> {
  const [program = '', ...args] = builtProgram('pman_health');
  return new Promise((resolve) => {
    execFile(program, [...args, ...flags], (_error, _stdout, stderr) => resolve(stderr));
  });
}

const portOf = (server: TestServer) => ['--port', String(server.port)];
const WELL = { status: 0, text: 'alive' };

describe('pman_health', () => {
  let server: TestServer;
  afterEach(() => endServer(server));

  it('says that a pman is well', async () => {
    server = await startServer();
    expect(health(...portOf(server))).toEqual(WELL);
    expect(health(...portOf(server), '--ip', '0.0.0.0')).toEqual(WELL);
  });

  it('says so of one that wants a token', async () => {
    const folders = makeFolders();
    const tokens = join(folders.root, 'tokens');
    writeFileSync(tokens, 'one\ntwo\n');
    const flags = ['--enableTokenAuth', '--tokenPath', tokens];
    server = await startServer({ folders, flags });
    expect(health(...portOf(server), '--ip', '127.0.0.1', ...flags)).toEqual(WELL);
    expect(health(...portOf(server), '--ip', '127.0.0.1')).toEqual({
      status: 0,
      text: 'alive, but refuses to say how it is',
    });
  });

  it('says so of one that takes ZeroMQ messages', async () => {
    server = new TestServer({ flags: ['--rawmode', '0'] });
    const port = await eventually(() => /listening on \S+:(\d+)/.exec(server.output.stderr)?.[1]);
    expect(health('--port', port, '--rawmode', '0')).toEqual(WELL);
  });

  it('says so of one whose clients wait for their jobs to end', async () => {
    server = await startServer({ flags: ['--listeners', '1'] });
    const gate = makeGate(server);
    const held = server.post('run', { cmd: gate.wait, auid: 'a', jid: 'a' }, { timeoutMs: 20_000 });
    try {
      await eventually(() => server.children().length > 0);
      expect(health(...portOf(server))).toEqual(WELL);
    } finally {
      gate.open();
      await held;
    }
  });

  it('tells of a database that cannot be written', async () => {
    server = await startServer({ flags: ['--DBsavePeriod', '0.1'] });
    const { DBpath } = server.folders;
    renameSync(DBpath, `${DBpath}.kept`);
    writeFileSync(DBpath, 'no folder');
    const refused = await server.post('run', { cmd: 'true', auid: 'a', jid: 'a', threaded: true });
    expect(refused.status).toBe(false);
    const sick = await eventually(() => {
      const now = health(...portOf(server));
      return now.status === 1 && now;
    });
    expect(sick.text).toMatch(/^pman_health: the database: /);
    expect(sick.text).toContain(DBpath);
    rmSync(DBpath);
    renameSync(`${DBpath}.kept`, DBpath);
  });

  it('says so of one whose listeners are all in use', async () => {
    server = await startServer();
    // A pman that leaves requests waiting, and serves outputs.
    const busy = createServer((request, response) => {
      if (request.method === 'GET') response.end('{"RESTverb": "GET"}');
    }).listen(0, '127.0.0.1');
    try {
      const port = await eventually(() => (busy.address() as AddressInfo | null)?.port);
      const [program = '', ...args] = builtProgram('pman_health');
      const text = await new Promise<string>((resolve) => {
        execFile(program, [...args, '--port', String(port)], (_error, stdout) => resolve(stdout));
      });
      expect(text.trim()).toBe('alive, all listeners are in use');
    } finally {
      busy.closeAllConnections();
      busy.close();
    }
  });

  it('tells that what answers is something else', async () => {
    server = await startServer();
    const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    try {
      const port = await eventually(() => (other.address() as AddressInfo | null)?.port);
      expect(await healthLater('--port', String(port))).toMatch(/what answers at .* is no pman/);
    } finally {
      other.close();
    }
  });

  it('tells that nobody answers, and from where', async () => {
    server = await startServer();
    await server.stop();
    const { status, text } = health(...portOf(server));
    expect(status).toBe(1);
    expect(text).toContain(`no answer from 127.0.0.1:${server.port}: connect ECONNREFUSED`);
  });

  it('takes the flags of pman and no others', async () => {
    server = await startServer();
    expect(health('--prot', 'x', '--nosuch')).toMatchObject({ status: 2 });
    expect(health('--help').text).toMatch(/^Usage: pman_health/);
  });
});
