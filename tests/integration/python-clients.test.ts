import { execFile, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithEngine } from '../helpers/engine.ts';
import { eventually } from '../helpers/eventually.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { checkout, makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const run = promisify(execFile);
const scripts = join(checkout, 'tests/engines/python');

const HELLO = { payload: { action: 'hello', meta: { askAbout: 'echoBack', echoBack: 'grüß' } } };
const HELLO_REPLY = { status: true, action: 'hello', d_ret: { echoBack: { msg: 'grüß' } } };

const curlMissing = () =>
  spawnSync('curl', ['--version']).status === 0 ? undefined : 'curl is not installed';

/** Starts a pman for the tests of one describe. */
function useServer(...flags: string[]): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startServer({ flags: ['--http', '--listeners', '4', ...flags] });
  });
  afterAll(async () => {
    await server?.stop();
    server?.endJobs();
  });
  return () => {
    if (!server) throw new Error('the server did not start');
    return server;
  };
}

async function finished(server: TestServer, jid: string): Promise<void> {
  await eventually(
    async () => {
      const reply = await server.post('status', { key: 'jid', value: jid });
      return JSON.stringify(reply.d_ret).includes('finishedSuccessfully');
    },
    { message: `job ${jid} to be finishedSuccessfully` },
  );
}

describeWithEngine('HTTPie', pythonMissing, () => {
  const server = useServer('--container-env', 'host');

  const http = async (...args: string[]) => {
    const { stdout } = await run(pythonProgram('http'), [
      '--ignore-stdin',
      '--pretty=none',
      ...args,
    ]);
    return stdout;
  };
  const httpJson = async (...args: string[]): Promise<unknown> => JSON.parse(await http(...args));

  it('runs a job as the README of the original writes it', async () => {
    const reply = await httpJson(
      'POST',
      `http://localhost:${server().port}/api/v1/cmd`,
      'Content-Type:application/vnd.collection+json',
      'Accept:application/vnd.collection+json',
      `payload:={"action": "run", "meta": {"cmd": "cal 7 1970 || true", "auid": "rudolphpienaar", "jid": "httpie-1", "threaded": true}}`,
    );
    expect(reply).toMatchObject({ status: true, action: 'run', meta: { jid: 'httpie-1' } });
    await finished(server(), 'httpie-1');
  });

  it('runs a job with the short form, at /', async () => {
    const payload =
      '{"action":"run","meta":{"cmd":"echo $((6*7))","auid":"u","jid":"httpie-2","threaded":true}}';
    expect(await httpJson(`:${server().port}`, `payload:=${payload}`)).toMatchObject({
      status: true,
      path: '',
      meta: { jid: 'httpie-2' },
    });
    await finished(server(), 'httpie-2');
    const meta = '{"key":"jid","value":"httpie-2","job":"0","when":"end","field":"stdout"}';
    const found = await httpJson(
      `:${server().port}`,
      `payload:={"action":"search","meta":${meta}}`,
    );
    expect(JSON.stringify(found)).toContain('"stdout":"42\\n"');
  });

  it('asks for status, info, the list of jobs and one leaf', async () => {
    const payload = '{"action":"status","meta":{"key":"jid","value":"httpie-1"}}';
    const status = await httpJson(`:${server().port}`, `payload:=${payload}`);
    expect(status).toMatchObject({ status: true, d_ret: { l_status: ['finishedSuccessfully'] } });
    const list = (await httpJson(`:${server().port}/api/v1`)) as { readonly GET: object };
    expect(Object.keys(list.GET)).toHaveLength(2);
    const leaf = (await httpJson(`:${server().port}/api/v1/_0/jid`)) as { readonly GET: object };
    expect(Object.values(leaf.GET)).toEqual([{ jid: 'httpie-1' }]);
  });

  it('shows the reply as text, as in a terminal', async () => {
    const { stdout } = await run(pythonProgram('http'), [
      ...['--ignore-stdin', '--print=hb', '--pretty=format'],
      ...[`:${server().port}`, `payload:=${JSON.stringify(HELLO.payload)}`],
    ]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(stdout).toContain('"echoBack"');
    expect(stdout).not.toContain('NOTE: binary data');
  });

  it('gets the reason of a refusal', async () => {
    const reply = await http(
      '--check-status',
      `:${server().port}`,
      'payload:={"action":"nosuch"}',
    ).catch((error: { readonly code: number; readonly stdout: string }) => error);
    expect(reply).toMatchObject({ code: 4, stdout: expect.stringContaining('"status": false') });
  });
});

describeWithEngine('curl', curlMissing, () => {
  const server = useServer('--container-env', 'host');
  const body = JSON.stringify(HELLO);
  const folder = () => server().folders.cwd;

  const curl = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await run('curl', ['-sS', '-m', '8', ...args]);
    return JSON.parse(stdout);
  };
  const url = () => `http://127.0.0.1:${server().port}/api/v1/cmd`;

  it.each([
    ['-d', ['-d', body]],
    ['--json', ['--json', body]],
    ['--json without blanks at /', ['--json', body, '--request-target', '/']],
    [
      '-X POST and a lower-case header',
      ['-X', 'POST', '-H', 'content-type: text/plain', '-d', body],
    ],
    ['chunked', ['-H', 'Transfer-Encoding: chunked', '-d', body]],
    ['Expect: 100-continue', ['-H', 'Expect: 100-continue', '-d', body]],
    ['HTTP/1.0', ['--http1.0', '-d', body]],
    ['Connection: close', ['-H', 'Connection: close', '-d', body]],
    ['a trailing slash', ['--request-target', '/api/v1/cmd/', '-d', body]],
  ])('says hello with %s', async (_, args) => {
    expect(await curl(...args, url())).toMatchObject(HELLO_REPLY);
  });

  it('says hello from a file, with and without its newlines', async () => {
    const file = join(folder(), 'hello.json');
    writeFileSync(file, `${JSON.stringify(HELLO, null, 2)}\n`);
    expect(await curl('-d', `@${file}`, url())).toMatchObject(HELLO_REPLY);
    expect(await curl('--data-binary', `@${file}`, url())).toMatchObject(HELLO_REPLY);
  });

  it('echoes a text of 2 MB, for which curl asks with Expect first', async () => {
    const text = 'x'.repeat(2_000_000);
    const file = join(folder(), 'big.json');
    const meta = { askAbout: 'echoBack', echoBack: text };
    writeFileSync(file, JSON.stringify({ payload: { action: 'hello', meta } }));
    const { stdout } = await run('curl', ['-sS', '-m', '20', '--data-binary', `@${file}`, url()], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const reply = JSON.parse(stdout) as {
      readonly d_ret: { readonly echoBack: { readonly msg: string } };
    };
    expect(reply.d_ret.echoBack.msg.length).toBe(text.length);
  });

  it('uses one connection for several requests', async () => {
    const { stdout } = await run('curl', [
      ...['-sS', '-m', '8', '-w', '\n%{num_connects}\n', '-d', body, '-o', '/dev/null', url()],
      ...['--next', '-sS', '-w', '%{num_connects}', '-d', body, '-o', '/dev/null', url()],
    ]);
    expect(stdout.trim().split('\n')).toEqual(['1', '0']);
  });

  it('gets no body for HEAD, and for OPTIONS nothing that is for pages', async () => {
    const head = await run('curl', ['-sS', '-m', '8', '-I', `${url()}`]);
    expect(head.stdout).toMatch(/^HTTP\/1\.1 \d{3}/);
    const options = await run('curl', ['-sS', '-m', '8', '-i', '-X', 'OPTIONS', url()]);
    expect(options.stdout).toMatch(/^HTTP\/1\.1 200/);
    expect(options.stdout).not.toMatch(/^access-control/im);
  });
});

describeWithEngine('http.client of Python', pythonMissing, () => {
  const server = useServer();

  it('says hello with head and body in several writes, twice on a connection', async () => {
    const script = join(scripts, 'split_client.py');
    const args = [script, String(server().port), JSON.stringify(HELLO)];
    const { stdout } = await run(pythonProgram('python'), args);
    const answers = stdout.trim().split('\n');
    expect(answers).toHaveLength(2);
    for (const answer of answers) {
      expect(answer).toMatch(/^200 /);
      expect(JSON.parse(answer.slice(4))).toMatchObject(HELLO_REPLY);
    }
  });
});

/** Sends each text as one frame and gives the frames of each answer. */
async function talk(kind: string, port: number, requests: readonly string[]): Promise<string[][]> {
  const script = join(scripts, 'native_client.py');
  const child = spawn(pythonProgram('python'), [script, kind, `tcp://127.0.0.1:${port}`]);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(requests.map((text) => `${text}\n`).join(''));
  await new Promise((resolve) => child.once('close', resolve));
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

describeWithEngine('pyzmq with --rawmode 0', pythonMissing, () => {
  const native = async () => {
    const announced = async (port: number) => port > 0; // HTTP is not spoken here
    const folders = makeFolders();
    return startServer({ folders, flags: ['--rawmode', '0'], isReady: announced });
  };
  const runMeta = { cmd: 'echo native', auid: 'u', jid: 'native-1', threaded: true };
  const runJob = JSON.stringify({ payload: { action: 'run', meta: runMeta } });
  const status = JSON.stringify({
    payload: { action: 'status', meta: { key: 'jid', value: 'native-1' } },
  });

  describe.each(['REQ', 'DEALER'])('a %s', (kind) => {
    let server: TestServer;
    beforeAll(async () => {
      server = await native();
    });
    afterAll(async () => {
      await server.stop();
      server.endJobs();
    });

    /** What comes back for each request: one frame of JSON, behind what the socket type adds. */
    const ask = async (...requests: string[]): Promise<Record<string, unknown>[]> => {
      const answers = await talk(kind, server.port, requests);
      return answers.map((frames) => {
        expect(frames).toHaveLength(1);
        const [text = ''] = frames;
        return JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>;
      });
    };

    it('gets one answer for each JSON request', async () => {
      const [hello, refused, again] = await ask(
        JSON.stringify(HELLO),
        'not json',
        JSON.stringify(HELLO),
      );
      expect(hello).toMatchObject(HELLO_REPLY);
      expect(refused).toMatchObject({ status: false });
      expect(again).toMatchObject(HELLO_REPLY);
    });

    it('runs a job and sees it finish', async () => {
      const [reply] = await ask(runJob);
      expect(reply).toMatchObject({ status: true, action: 'run' });
      await eventually(
        async () => JSON.stringify(await ask(status)).includes('finishedSuccessfully'),
        { message: 'the job to be finishedSuccessfully' },
      );
    });
  });
});
