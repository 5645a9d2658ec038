import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { VERSION } from '../../lib/version.ts';
import { tempDir } from '../helpers/tempDir.ts';

// What swarm.py sent and printed, recorded. The engine here only remembers and answers; swarm-manager.test.ts has a real one.

interface Call {
  readonly method: string | undefined;
  readonly path: string;
  readonly body: unknown;
}

const task = {
  ID: 'task1',
  ServiceID: 'svc1',
  Status: {
    State: 'running',
    Message: 'läuft',
    ContainerStatus: { ContainerID: 'cid-app-1', PID: 1234, ExitCode: 0 },
  },
};
const calls: Call[] = [];
let server: Server;
let host: string;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '', 'http://engine');
  const body = request.method === 'POST' ? await json(request) : undefined;
  calls.push({ method: request.method, path: pathname, body });
  const [status, value] = reply(request.method, pathname);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function reply(method: string | undefined, path: string): [number, unknown] {
  if (path === '/services/create') return [201, { ID: 'svc-test' }];
  if (path === '/tasks') return [200, [task, { ...task, ID: 'task0' }]];
  if (method === 'DELETE') return [200, {}];
  if (path === '/services/nodocker') return [400, { message: { text: 'what?' } }];
  if (path === '/services/nosuch') return [404, { message: 'service nosuch not found' }];
  return [200, { ID: 'svc-test', Spec: { Name: path.split('/').at(-1) } }];
}

function swarm(...args: readonly string[]) {
  const env = { PATH: process.env.PATH, DOCKER_HOST: host };
  return execa('node', ['dist/bin/swarm.cjs', ...args], { reject: false, env, extendEnv: false });
}

describe('swarm', () => {
  beforeAll(async () => {
    const path = join(tempDir(), 'docker.sock');
    host = `unix://${path}`;
    server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(path, resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    calls.length = 0;
  });

  it('schedules a service and prints nothing', async () => {
    const args = ['-s', 'svcA', '-m', '/data/key-1', '-i', 'fnndsc/pl-x', '-p', 'none'];
    const { exitCode, stdout, stderr } = await swarm(...args, '-c', "x.py '/share/in put'");
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const share = { Target: '/share', Source: '/data/key-1', Type: 'bind', ReadOnly: false };
    expect(calls).toEqual([
      {
        method: 'POST',
        path: '/services/create',
        body: {
          Name: 'svcA',
          TaskTemplate: {
            ContainerSpec: {
              Image: 'fnndsc/pl-x',
              Command: ['x.py', '/share/in put'],
              Mounts: [share],
              TTY: true,
            },
            RestartPolicy: { Condition: 'none', Delay: 0, MaxAttempts: 0, Window: 0 },
          },
        },
      },
    ]);
  });

  it('prints the state as Python does: one line, blanks, ASCII, keys in their order', async () => {
    const { exitCode, stdout } = await swarm('--state', 'test');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      '{"ID": "task1", "ServiceID": "svc1", "Status": {"State": "running", "Message": "l\\u00e4uft", ' +
        '"ContainerStatus": {"ContainerID": "cid-app-1", "PID": 1234, "ExitCode": 0}}}',
    );
  });

  it('removes a service and prints nothing', async () => {
    const { exitCode, stdout, stderr } = await swarm('--remove', 'test');
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(calls.at(-1)).toMatchObject({ method: 'DELETE', path: '/services/svc-test' });
  });

  it('finds the engine by --conffile rather than by DOCKER_HOST', async () => {
    const conffile = join(tempDir(), 'swarm.ini');
    writeFileSync(conffile, `[DEFAULT]\nbase_url = ${host}\n`);
    const env = { PATH: process.env.PATH, DOCKER_HOST: 'unix:///nonexistent.sock' };
    const args = ['dist/bin/swarm.cjs', '--conffile', conffile, '--state', 'test'];
    const { stdout } = await execa('node', args, { env, extendEnv: false });
    expect(stdout).toContain('"task1"');
  });

  it.each([
    [['--remove', 'nosuch'], 'cannot remove service "nosuch": service nosuch not found'],
    [['-s', 'a', '-i', 'i', '-c', "echo 'x"], 'a quote is not closed'],
    [['-s', 'a', '-i', 'i', '-c', 'x', '-p', 'always'], 'one of none, on-failure, any'],
    [
      ['-s', 'a', '-i', 'i', '-c', 'x', '-m', 'some/dir'],
      'cannot mount "some/dir": it has to be an absolute path',
    ],
    [
      ['--remove', 'nodocker'],
      'the answer is not a Docker Engine\'s: {"message":{"text":"what?"}}',
    ],
    [['--conffile', '/nonexistent.ini', '--state', 'a'], 'cannot read the config file'],
  ])('says in one line why %j fails, exit code 1', async (args, why) => {
    const { exitCode, stdout, stderr } = await swarm(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^swarm: [^\n]+$/);
    expect(stderr).toContain(why);
  });

  it.each([
    [['-s', 't2', '-c', 'echo x'], '-s/--schedule requires -i/--image and -c/--command'],
    [['-s', 'a', '-r', 'b'], 'argument -r/--remove: not allowed with argument -s/--schedule'],
  ])('refuses %j with the usage, exit code 2', async (args, why) => {
    const { exitCode, stderr } = await swarm(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^usage: swarm /);
    expect(stderr).toContain(`swarm: error: ${why}`);
    expect(calls).toEqual([]);
  });

  it('says its version', async () => {
    const { exitCode, stdout } = await swarm('--version');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `Version: ${VERSION}` });
  });

  it('says what it wants, and ends with 2, without arguments', async () => {
    const { exitCode, stdout, stderr } = await swarm();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^usage: swarm [\s\S]*\nswarm: error: nothing to do: give one of /);
  });
});
