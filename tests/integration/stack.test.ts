import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import * as images from '../helpers/images.ts';
import { builtProgram, checkout } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

const { docker, post } = images;
const STACK = 'family';
const TOKEN = 'a-token-of-the-test';

/**
 * A port of this machine that is free, and stays so: from below those that the kernel gives to whoever wants any, as it
 * takes seconds until the stack has it.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    server.close();
    if (isFree) return port;
  }
}

const serviceNames = () => docker('service', 'ls', '--format', '{{.Name}} {{.Replicas}}');

describeWithEngine('the stack of pman and pfioh', images.imagesMissing, () => {
  jest.setTimeout(120_000);
  let pman: images.Served = { port: 0 };
  let pfiohPort = 0;

  beforeAll(async () => {
    const folder = tempDir();
    const store = join(folder, 'store');
    mkdirSync(store);
    const tokens = join(folder, 'tokens');
    writeFileSync(tokens, `${TOKEN}\n`);
    pman = { port: await freePort(), token: TOKEN };
    pfiohPort = await freePort();
    const settings = {
      STOREBASE: store,
      DOCKER_SOCKET: images.imagesSocket,
      PMAN_TOKENS: tokens,
      PMAN_PORT: String(pman.port),
      PFIOH_PORT: String(pfiohPort),
    };
    execFileSync('docker', ['stack', 'deploy', '--compose-file', 'stack.yml', STACK], {
      cwd: checkout,
      env: { ...process.env, ...settings, DOCKER_HOST: images.imagesEngine },
      stdio: 'pipe',
    });
    await images.answering(pman, 60_000);
    await eventually(() => purl({ action: 'hello', meta: { askAbout: 'timestamp' } }), {
      timeoutMs: 60_000,
      pollMs: 200,
      message: 'pfioh to answer',
    });
  }, 120_000);

  afterAll(async () => {
    // It fails as long as a task of it still has the network.
    const gone = () => {
      docker('stack', 'rm', STACK);
      return true;
    };
    await eventually(gone);
    await eventually(() => !docker('ps', '-aq', '--filter', `name=${STACK}_`).trim(), {
      timeoutMs: 30_000,
    });
    await eventually(() => docker('volume', 'rm', `${STACK}_database`));
    await eventually(() => !docker('network', 'ls').includes(STACK));
  });

  /** Sends pfioh a message and gives its answer; throws when there is none. */
  function purl(message: object): unknown {
    const [program = '', ...args] = builtProgram('purl');
    const to = ['--http', `127.0.0.1:${pfiohPort}/api/v1/cmd`, '--msg', JSON.stringify(message)];
    const all = [...args, ...to, '--quiet', '--raw', '--fail', '--authToken', TOKEN];
    return JSON.parse(execFileSync(program, all, { encoding: 'utf8', stdio: 'pipe' }));
  }

  it('takes a folder in, has a container work on it, and gives the result back', async () => {
    const here = tempDir();
    mkdirSync(join(here, 'in'));
    writeFileSync(join(here, 'in/words'), 'from afar');
    const compress = { encoding: 'none', archive: 'zip', unpack: true, cleanup: true };
    const transport = { mechanism: 'compress', compress };
    const specialHandling = { op: 'plugin', cleanup: true };
    const remote = { key: 'k1' };
    const pushed = purl({
      action: 'pushPath',
      meta: { local: { path: join(here, 'in') }, remote, specialHandling, transport },
    });
    expect(JSON.stringify(pushed)).toContain('/hostFS/storeBase/key-k1');
    const accepted = await post(pman, 'run', {
      cmd: 'sh -c "tr a-z A-Z </share/incoming/words >/share/outgoing/loud"',
      ...{ auid: 'a', jid: 'shout', threaded: true },
      container: {
        target: { image: 'local/busybox' },
        manager: {
          ...{ image: 'fnndsc/swarm', app: 'swarm.py' },
          env: { shareDir: '/hostFS/storeBase/key-k1', serviceName: 'shout' },
        },
      },
    });
    expect(accepted).toMatchObject({ status: true });
    expect((await images.ended(pman, 'shout')).status).toBe('finishedSuccessfully');
    const local = { path: join(here, 'out'), createDir: true };
    purl({ action: 'pullPath', meta: { local, remote, specialHandling, transport } });
    expect(readFileSync(join(here, 'out/loud'), 'utf8')).toBe('FROM AFAR');
  });

  it('does nothing without a token', async () => {
    const reply = await post({ port: pman.port }, 'run', { cmd: 'true', auid: 'a', jid: 'a' });
    expect(reply).toMatchObject({ status: false, error: { code: 'unauthorized' } });
    const answer = await fetch(`http://127.0.0.1:${pfiohPort}/`);
    expect(answer.status).toBe(401);
  });

  it('counts as up by its health checks', async () => {
    await eventually(() => /pfioh 1\/1/.test(serviceNames()) && /pman 1\/1/.test(serviceNames()), {
      timeoutMs: 60_000,
      pollMs: 500,
      message: 'both services to be up',
    });
  });
});
