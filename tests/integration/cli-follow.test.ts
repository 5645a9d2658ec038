import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CuttingProxy } from '../helpers/cuttingProxy.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate } from '../helpers/pman.ts';
import { pmanVerb, startVerb, verbOnTerminal } from '../helpers/pmanVerb.ts';
import { checkout, startServer, type TestServer } from '../helpers/startServer.ts';

/** How many lines a job writes to each of its outputs, about a hundred a second. */
const LINES = 600;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');

describe('what is followed', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  it('loses and doubles nothing when connections are broken every two seconds', async () => {
    const proxy = await CuttingProxy.to(server.port, 2000);
    const through = { port: proxy.port, folders: server.folders };
    const line = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo $i; echo $i >&2; sleep 0.01; done; exit 3`;
    const verbs = [
      pmanVerb(through, ['run', '-f', line]),
      (async () => {
        await eventually(
          async () => (await pmanVerb(server, ['ls', 'running', '-q'])).stdout !== '',
        );
        return pmanVerb(through, ['logs', '-fe']);
      })(),
    ];
    for (const { code, stdout, stderr } of await Promise.all(verbs)) {
      expect([code, stdout, stderr]).toEqual([3, numbers(LINES), numbers(LINES)]);
    }
    expect(proxy.cuts).toBeGreaterThan(1);
  });

  it('goes on when pman is killed and started again', async () => {
    const own = await startServer({ flags: ['--port', '0'] });
    const { port, folders } = own;
    try {
      const gate = makeGate(own);
      const verb = startVerb({ port, folders }, [
        'run',
        '-f',
        `echo before; ${gate.wait}; echo after; exit 5`,
      ]);
      const waits = startVerb({ port, folders }, ['wait', 'active']);
      await eventually(() => verb.shown().stdout === 'before\n');
      await own.kill9();
      await own.restart(['--port', String(port)]);
      gate.open();
      expect(await verb.ended).toMatchObject({ code: 5, stdout: 'before\nafter\n' });
      await waits.ended;
    } finally {
      await endServer(own);
    }
  });

  it('-w goes on when connections are broken', async () => {
    const proxy = await CuttingProxy.to(server.port, 2000);
    const gate = makeGate(server);
    await pmanVerb(server, ['run', '--name', 'cut', gate.wait]);
    const through = { port: proxy.port, folders: server.folders };
    const watch = startVerb(through, ['ls', '-w', 'cut', '-o', 'state']);
    await eventually(() => watch.shown().stdout === 'running\n' && proxy.cuts > 2);
    gate.open();
    await eventually(() => watch.shown().stdout === 'running\nok\n');
    watch.kill('SIGINT');
    await watch.ended;
  });

  it('has the unfinished lines of several jobs on Ctrl-C', async () => {
    for (const name of ['ask-1', 'ask-2']) {
      await pmanVerb(server, ['run', '--name', name, "printf 'line\\npassword: '; exec sleep 60"]);
    }
    const verb = startVerb(server, ['logs', '-f', 'ask-1', 'ask-2']);
    await eventually(() => verb.shown().stdout.match(/line/g)?.length === 2);
    verb.kill('SIGINT');
    expect((await verb.ended).stdout.match(/password: /g)).toHaveLength(2);
    await pmanVerb(server, ['kill', '--yes', 'ask-1', 'ask-2']);
  });

  describe('when several jobs are run again', () => {
    /** Jobs that say `begun <n>` and end as `last` says, run again and followed. */
    const again = async (name: string, flag: string, last: string) => {
      const names = [`${name}-1`, `${name}-2`];
      for (const [at, one] of names.entries()) {
        await pmanVerb(server, ['run', '--name', one, `echo begun ${at + 1}; exit 130`]);
      }
      await pmanVerb(server, ['wait', ...names]);
      const verb = startVerb(server, ['rerun', flag, '--command', `echo begun; ${last}`, ...names]);
      await eventually(() => verb.shown().stdout.includes('begun'));
      const running = async () => (await pmanVerb(server, ['ls', 'running', '-o', 'name'])).stdout;
      return { verb, running: async () => (await running()).match(new RegExp(name, 'g')) };
    };

    it('Ctrl-C ends all of them with --tie', async () => {
      const { verb, running } = await again('tied', '--tie', 'exec sleep 60');
      await eventually(async () => (await running())?.length === 2);
      verb.kill('SIGINT');
      expect(await verb.ended).toMatchObject({ code: 130 });
      expect(await running()).toBe(null);
    });

    it('Ctrl-C says of all of them that they still run', async () => {
      const { verb, running } = await again('left', '-f', 'exec sleep 60');
      await eventually(async () => (await running())?.length === 2);
      verb.kill('SIGINT');
      const { code, stderr } = await verb.ended;
      expect([code, stderr.match(/detached: \w+ still runs/g)?.length]).toEqual([130, 2]);
      await pmanVerb(server, ['kill', '--yes', 'left-1', 'left-2']);
    });

    it('the next one is followed, too, when one ends with the code of Ctrl-C by itself', async () => {
      const { verb } = await again('codes', '-f', 'exit 130');
      expect(await verb.ended).toMatchObject({ code: 130, stdout: 'begun\nbegun\n' });
    });
  });

  describe('with --tie', () => {
    const stateOf = async (name: string) =>
      (await pmanVerb(server, ['ls', '-o', 'state', name])).stdout;

    it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends the job on %s', async (signal) => {
      const verb = startVerb(server, [
        'run',
        '--tie',
        '--name',
        signal,
        'echo begun; exec sleep 60',
      ]);
      await eventually(() => verb.shown().stdout === 'begun\n');
      verb.kill(signal);
      const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
      expect(await verb.ended).toMatchObject({ code: codes[signal], stdout: 'begun\n' });
      expect(await stateOf(signal)).not.toMatch(/running/);
    });

    it.each([
      ['is silent', 'echo begun; exec sleep 60'],
      ['goes on writing', 'while echo begun; do sleep 0.01; done'],
    ])('ends a job that %s when the terminal is closed', async (how, line) => {
      const name = how.replaceAll(' ', '-');
      const verb = verbOnTerminal(server, `run --tie --name ${name} '${line}'`);
      await eventually(() => verb.shown().includes('begun'));
      verb.close();
      await eventually(async () => !/running/.test(await stateOf(name)));
      expect(await stateOf(name)).toMatch(/^(killed|failed)/);
    });

    it('ends the job when nobody reads any more what it writes', async () => {
      const line = 'run --tie --name headed "while echo x; do sleep 0.1; done"';
      const verb = `'${process.execPath}' '${join(checkout, 'dist/bin/pman.cjs')}' ${line}`;
      const shell = spawn('sh', ['-c', `${verb} | head -n 1`], {
        env: { ...process.env, PMAN_URL: `http://127.0.0.1:${server.port}` },
      });
      await once(shell, 'exit');
      expect(await stateOf('headed')).toMatch(/^(killed|failed)/);
    });

    describe('whose server goes away', () => {
      const tied = async (line: string) => {
        const own = await startServer();
        const verb = startVerb(own, ['run', '--tie', line]);
        await eventually(() => verb.shown().stdout === 'begun\n');
        return { own, verb };
      };

      it('Ctrl-C says that it did not get there, and the second one ends the command', async () => {
        const { own, verb } = await tied('echo begun; exec sleep 60');
        await own.kill9();
        verb.kill('SIGINT');
        await eventually(() => verb.shown().stderr.includes('once more leaves it'));
        verb.kill('SIGINT');
        const { code, stderr } = await verb.ended;
        expect([code, stderr]).toEqual([
          130,
          expect.stringMatching(/whether \w+ runs is not known/),
        ]);
        await own.restart();
        await endServer(own);
      });

      it('a closed terminal does not leave the command waiting for it', async () => {
        const { own, verb } = await tied(
          `trap 'echo heard' HUP; echo begun; while :; do sleep 0.1; done`,
        );
        verb.kill('SIGHUP');
        await eventually(() => verb.shown().stdout === 'begun\nheard\n');
        await own.kill9();
        expect(await verb.ended).toMatchObject({ code: 130 });
        await own.restart();
        await endServer(own);
      });

      it('a closed terminal ends the job once the server is back', async () => {
        const { own, verb } = await tied('echo begun; exec sleep 60');
        const { port } = own;
        await own.kill9();
        verb.kill('SIGHUP');
        await own.restart(['--port', String(port)]);
        expect(await verb.ended).toMatchObject({ code: 129 });
        await endServer(own);
      });
    });
  });
});
