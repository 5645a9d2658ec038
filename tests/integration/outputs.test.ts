import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { endServer, makeGate, resultOf, runJob, untilEnded } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';

const MIB = 1024 * 1024;

describe('GET of outputs', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => endServer(server));

  const rootOf = async (jid: string) => (await resultOf(server, jid)).jobRoot;
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    server.request(method, `/api/v1/${path}`, { headers });

  async function ended(cmd: string): Promise<string> {
    const jid = await runJob(server, cmd);
    return (await untilEnded(server, jid)).jobRoot;
  }

  it('gives what each part has written, and all of it in order', async () => {
    const root = await ended('echo one; echo two >&2; echo three; echo four >&2');
    expect((await get(`${root}/stdout`)).text).toBe('one\nthree\n');
    expect((await get(`${root}/stderr`)).text).toBe('two\nfour\n');
    expect((await get(`${root}/2/stdout`)).text).toBe('three\n');
    expect((await get(`${root}/1/stderr`)).text).toBe('two\n');
    expect((await get(`${root}/0/stderr`)).text).toBe('');
    expect((await get('_-1/2/stdout')).text).toBe('three\n');
  });

  it('gives bytes that are no UTF-8 as they are, where the record cannot', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, k) => k));
    const octal = [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    const root = await ended(`printf '${octal}'`);
    const answer = await get(`${root}/stdout`);
    expect(answer.bytes).toEqual(bytes);
    expect(answer.header('content-length')).toBe('256');
  });

  it('gives ranges over the parts, and only the head to HEAD', async () => {
    const root = await ended('printf 0123; printf 45; printf 6789');
    const middle = await get(`${root}/stdout`, { Range: 'bytes=3-6' });
    expect([middle.status, middle.text]).toEqual([206, '3456']);
    expect(middle.header('content-range')).toBe('bytes 3-6/10');
    const tail = await get(`${root}/stdout`, { Range: 'bytes=-2' });
    expect([tail.status, tail.text]).toEqual([206, '89']);
    const rest = await get(`${root}/1/stdout`, { Range: 'bytes=1-' });
    expect([rest.status, rest.text]).toEqual([206, '5']);
    const behind = await get(`${root}/stdout`, { Range: 'bytes=10-' });
    expect([behind.status, behind.header('content-range')]).toEqual([416, 'bytes */10']);
    const several = await get(`${root}/stdout`, { Range: 'bytes=0-1,3-4' });
    expect([several.status, several.text]).toEqual([200, '0123456789']);
    const conditional = { Range: 'bytes=3-6', 'If-Range': '"a tag of another server"' };
    expect((await get(`${root}/stdout`, conditional)).text).toBe('0123456789');
    const shouted = await get(`${root}/stdout`, { Range: 'BYTES=0-1' });
    expect([shouted.status, shouted.text]).toEqual([206, '01']);
    const head = await get(`${root}/stdout`, {}, 'HEAD');
    expect([head.status, head.header('content-length'), head.text]).toEqual([200, '10', '']);
    const headOfRange = await get(`${root}/stdout`, { Range: 'bytes=3-6' }, 'HEAD');
    expect([headOfRange.status, headOfRange.header('content-length')]).toEqual([206, '4']);
  });

  it('refuses jobs and parts that are not there', async () => {
    const root = await ended('true');
    for (const path of ['nosuch/stdout', `${root}/1/stdout`, `${root}x/stderr`]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.json()).toMatchObject({ status: false, error: { code: 'not_found' } });
    }
  });

  it('follows a job that runs and ends with it', async () => {
    const gates = [makeGate(server), makeGate(server)] as const;
    const jid = await runJob(
      server,
      `echo one && ${gates[0].wait}; printf 'tw\\377o\\n' && ${gates[1].wait}; echo three`,
    );
    const root = await rootOf(jid);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/${root}/stdout?follow=1`);
    expect(answer.headers.get('content-length')).toBeNull();
    let got = '';
    let over = false;
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) got += Buffer.from(chunk).toString('latin1');
      over = true;
    })();
    await eventually(() => got === 'one\n', { message: 'the first line while the job runs' });
    gates[0].open();
    await eventually(() => got === 'one\ntw\xffo\n', { message: 'the line of the second part' });
    expect((await resultOf(server, jid)).status).toBe('started');
    expect(over).toBe(false);
    gates[1].open();
    await reading;
    expect(got).toBe('one\ntw\xffo\nthree\n');
    expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
  });

  it('lets a client that follows go away, and costs nothing after that', async () => {
    const gate = makeGate(server);
    const jid = await runJob(server, `echo up && ${gate.wait}`);
    const root = await rootOf(jid);
    const away = new AbortController();
    const url = `http://127.0.0.1:${server.port}/api/v1/${root}/stdout?follow=1`;
    const answer = await fetch(url, { signal: away.signal });
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('up\n');
    away.abort();
    await expect(reader?.read()).rejects.toThrow();
    gate.open();
    expect((await untilEnded(server, jid)).status).toBe('finishedSuccessfully');
    expect((await get(`${root}/stdout`)).text).toBe('up\n');
  });

  it('serves 100 MB without holding them, and keeps head and tail in the record', async () => {
    const bytes = 100_000_000;
    const cmd = `yes 0123456789 | head -c ${bytes - 4} && printf 'end\\n'`;
    const peakMib = () => {
      const status = readFileSync(`/proc/${server.pid}/status`, 'latin1');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    };
    const before = peakMib();
    const jid = await runJob(server, cmd);
    const { jobRoot, stdout } = await untilEnded(server, jid, 30_000);

    const [kept = ''] = stdout;
    expect(kept.length).toBeLessThan(1.1 * MIB);
    const [head = '', tail = ''] = kept.split(/\n\[… \d+ of 100000000 bytes left out …\]\n/);
    expect(head.startsWith('0123456789\n0123456789\n')).toBe(true);
    expect(tail.endsWith('end\n')).toBe(true);
    const left = bytes - head.length - tail.length;
    expect(kept).toContain(`[… ${left} of ${bytes} bytes left out …]`);

    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/${jobRoot}/stdout`);
    expect(answer.headers.get('content-length')).toBe(String(bytes));
    const digest = createHash('sha256');
    let got = 0;
    for await (const chunk of answer.body ?? []) {
      digest.update(chunk);
      got += chunk.length;
    }
    expect(got).toBe(bytes);
    const line = '0123456789\n';
    const whole = Buffer.alloc(bytes - 4, line);
    expect(digest.digest('hex')).toBe(
      createHash('sha256').update(whole).update('end\n').digest('hex'),
    );
    const grown = peakMib() - before;
    console.log(`100 MB of output: the server's peak grew by ${grown.toFixed(1)} MiB`);
    // What passes through leaves garbage for a while, but the server never holds the output.
    expect(peakMib()).toBeLessThan(150);
  });
});
