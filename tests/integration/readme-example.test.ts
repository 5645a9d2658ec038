import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { docker, imagesEngine, imagesMissing, imagesSocket, remove } from '../helpers/images.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { tempDir } from '../helpers/tempDir.ts';

// The example of the original's README (2.2), word for word from here...
const INCOMING_DATA =
  "docker exec pman bash -c 'mkdir /hostFS/storeBase/somedata && touch /hostFS/storeBase/somedata/something'";
const RUN = `http :5010 payload:='{
        "action": "run",
        "meta": {
            "cmd": "ls /share",
            "threaded": true,
            "auid": "someone",
            "jid": "a-job-id-2",
            "number_of_workers": "1",
            "cpu_limit": "1000",
            "memory_limit": "200",
            "gpu_limit": "0",
            "container": {
                "target": {
                    "image": "fnndsc/pl-simpledsapp:version-1.0.8",
                    "cmdParse": false
                },
                "manager": {
                    "image": "fnndsc/swarm",
                    "app": "swarm.py",
                    "env": {
                        "meta-store": "key",
                        "serviceType": "docker",
                        "shareDir": "/hostFS/storeBase/somedata/",
                        "serviceName": "testService"
                    }
                }
            }
        }
    }'`;
const RESULT = `http :5010/api/v1/cmd payload:='{
        "action": "status",
            "meta": {
                    "key":          "jid",
                    "value":        "a-job-id-2"
            }
        }'`;
// ... to here, but for how pman is started: it has no network here but its own loopback, in which HTTPie runs as
// well (so that no port of this machine is taken), and the engine's socket is not at its usual place.
const startPman = (folder: string, flags: readonly string[]) =>
  docker(
    ...['run', '--rm', '--detach', '--name', 'pman', '--network', 'none'],
    ...['-v', `${imagesSocket}:/var/run/docker.sock`, '-e', `PMAN_DOCKERSOCKET=${imagesSocket}`],
    ...['-v', `${folder}/FS/remote:/hostFS/storeBase`],
    ...['-e', `STOREBASE=${folder}/FS/remote`],
    'fnndsc/pman:latest',
    ...['--rawmode', '1', '--http', '--port', '5010', '--listeners', '12', '--verbosity', '1'],
    ...flags,
  );

/** A folder with an `http` that does not take this test's standard input for a body. */
function httpie(): string {
  const folder = tempDir();
  const file = join(folder, 'http');
  writeFileSync(file, `#!/bin/sh\nexec '${pythonProgram('http')}' --ignore-stdin "$@"\n`);
  chmodSync(file, 0o755);
  return folder;
}

/** Runs a shell command in the network of the container and gives what it prints. */
function shell(commandLine: string, path: string): string {
  const pid = docker('inspect', '--format', '{{.State.Pid}}', 'pman').trim();
  const env = {
    ...process.env,
    DOCKER_HOST: imagesEngine,
    PATH: path + delimiter + process.env.PATH,
  };
  const inside = ['--target', pid, '--net', 'bash', '-c', commandLine];
  const done = spawnSync('nsenter', inside, { env, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${commandLine}: ${done.stderr}${done.stdout}`);
  return done.stdout;
}

describeWithEngine(
  "the example of the original's README",
  () => imagesMissing() ?? pythonMissing(),
  () => {
    jest.setTimeout(120_000);
    beforeAll(() => {
      docker('tag', 'local/busybox', 'fnndsc/pl-simpledsapp:version-1.0.8');
    });
    afterEach(() => remove('pman'));

    it.each([
      ['by the manager container', [], true],
      ['by the built-in manager', ['--manager', 'builtin'], false],
    ])('gives its result %s', async (_, flags, byContainers) => {
      const path = httpie();
      const since = (Date.now() / 1000).toFixed(3);
      startPman(tempDir(), flags);
      await eventually(() => shell('http --check-status :5010/api/v1', path), {
        pollMs: 200,
      });
      shell(INCOMING_DATA, path);
      expect(JSON.parse(shell(RUN, path))).toMatchObject({ status: true, action: 'run' });
      const reply = await eventually(
        () => {
          const now = JSON.parse(shell(RESULT, path)) as { readonly d_ret: { l_status: string[] } };
          return /finished|undefined/.test(now.d_ret.l_status.join()) && now;
        },
        { timeoutMs: 60_000, pollMs: 200, message: 'the job to end' },
      );
      expect(reply).toMatchObject({
        status: true,
        d_ret: { l_status: ['finishedSuccessfully'], l_logs: ['something\n'] },
      });
      await eventually(() => !docker('service', 'ls').includes('testService'), {
        message: 'the service to be removed',
      });
      const filters = ['--filter', 'event=start', '--filter', 'image=fnndsc/swarm'];
      const events = docker('events', '--since', since, '--until', '0s', ...filters);
      expect(events !== '').toBe(byContainers);
    });
  },
);
