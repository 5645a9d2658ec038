import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type GatewayRequest, isStream } from '../../../../lib/gateway/types.ts';
import { newJobRoot } from '../../../../lib/records/jobRoot.ts';
import { newRecord, recordStart } from '../../../../lib/records/record.ts';
import { isOutput, outputReply } from '../../../../lib/server/rawOutput.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

/** A job whose parts have written these outputs. */
function jobWith(...outputs: readonly (string | Buffer)[]): string {
  const root = newJobRoot(Date.now());
  const { database } = host.services;
  database.add(root, newRecord({ rawMeta: {}, cmd: 'x', auid: 'me', jid: 'j' }));
  const record = database.edit(root);
  if (record === undefined) throw new Error('the job was not taken in');
  for (const [k, output] of outputs.entries()) {
    recordStart(record, k, { cmd: 'x', pid: 1, startedAt: 0, host: {} });
    record.touch(
      ['end', String(k), 'endInfo'],
      record.cat(['start', String(k), 'startInfo']) ?? {},
    );
    const file = host.outputFile(root, k, 'stdout');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, output);
  }
  return root;
}

async function ask(path: string, { range = '', method = 'GET', services = host.services } = {}) {
  const { signal } = new AbortController();
  const request: GatewayRequest = {
    method,
    target: `/api/v1/${path}`,
    httpVersion: '1.1',
    rawHeaders: range === '' ? [] : [['rAnGe', range]],
    authorization: undefined,
    body: Buffer.alloc(0),
    signal,
  };
  return isOutput(request) ? outputReply(services, request, signal) : undefined;
}

async function read(path: string, range = '') {
  const reply = await ask(path, { range });
  if (reply === undefined) throw new Error('it is not taken for an output');
  const body = isStream(reply.body) ? await buffer(reply.body) : Buffer.from(reply.body);
  const head = new Map(reply.headers);
  return {
    status: reply.status,
    body,
    text: body.toString(),
    length: Number(head.get('Content-Length')),
    range: head.get('Content-Range'),
    type: head.get('Content-Type'),
  };
}

describe('outputReply', () => {
  it.each(['', 'x', 'x/start', 'x/y/stdout', 'x/1/2/stdout', 'x/-1/stdout', 'x/STDOUT'])(
    'leaves %j to the tree',
    async (path) => {
      expect(await ask(path)).toBeUndefined();
    },
  );

  it('leaves other verbs alone', async () => {
    for (const method of ['POST', 'PUT', 'OPTIONS']) {
      expect(await ask(`${jobWith('x')}/stdout`, { method })).toBeUndefined();
    }
  });

  it('knows the job by its place too, and refuses one that is not there', async () => {
    jobWith('first');
    jobWith('second');
    expect((await read('_0/stdout')).text).toBe('first');
    expect((await read('_-1/stdout')).text).toBe('second');
    const paths = ['nosuch/stdout', '_9/stdout', '../stdout', 'constructor/stdout'];
    const below = ['first/stdout/y', '_0/0/output/1', '_0/1234567/stdout'];
    for (const path of [...paths, ...below]) {
      await expect(ask(path)).rejects.toThrow(expect.objectContaining({ code: 'not_found' }));
    }
  });

  it('gives the outputs of all parts in order, or of one, byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 0xc3]);
    const root = jobWith('one\n', bytes, '', 'four');
    const whole = await read(`${root}/stdout`);
    expect(whole.body).toEqual(Buffer.concat([Buffer.from('one\n'), bytes, Buffer.from('four')]));
    expect(whole).toMatchObject({ status: 200, length: 13, range: undefined });
    expect(whole.type).toMatch(/^text\/plain/);
    expect((await read(`${root}/1/stdout`)).body).toEqual(bytes);
    expect((await read(`${root}/3/stdout/`)).text).toBe('four');
    expect(await read(`${root}/2/stdout`)).toMatchObject({ status: 200, text: '', length: 0 });
    expect(await read(`${root}/stderr`)).toMatchObject({ status: 200, text: '', length: 0 });
  });

  it('refuses a part that an ended job does not have', async () => {
    const root = jobWith('one');
    await expect(ask(`${root}/1/stdout`)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
    await expect(ask(`${root}/999999/stderr?follow=1`)).rejects.toThrow('no part 999999');
  });

  it('takes from the record what has no file any more', async () => {
    const root = host.addEnded('a', 'me', 0);
    expect((await read(`${root}/stdout`)).text).toBe('out\n');
    expect((await read(`${root}/0/stderr`, 'bytes=1-2')).text).toBe('rr');
  });

  it.each<[string, string, string]>([
    ['bytes=0-0', '0', '0-0'],
    ['bytes=2-4', '234', '2-4'],
    ['bytes=8-', '89', '8-9'],
    ['bytes=0-', '0123456789', '0-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-99', '0123456789', '0-9'],
    ['bytes=7-99', '789', '7-9'],
    [' bytes=3-3 ', '3', '3-3'],
  ])('gives the range %s', async (range, text, told) => {
    const root = jobWith('012', '345', '', '6789');
    expect(await read(`${root}/stdout`, range)).toMatchObject({
      status: 206,
      text,
      length: text.length,
      range: `bytes ${told}/10`,
    });
  });

  it.each(['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=99999999999999999999-'])(
    'refuses the range %s, as there are no such bytes',
    async (range) => {
      const answer = await read(`${jobWith('0123456789')}/stdout`, range);
      expect(answer).toMatchObject({ status: 416, text: '', length: 0, range: 'bytes */10' });
    },
  );

  it('has no range of an empty output', async () => {
    const root = jobWith('');
    expect(await read(`${root}/stdout`, 'bytes=0-')).toMatchObject({ status: 416 });
    expect(await read(`${root}/stdout`, 'bytes=-5')).toMatchObject({ status: 416 });
  });

  it.each(['bytes=1-2,4-5', 'bytes=5-2', 'lines=1-2', 'bytes=-', 'bytes=a-b', 'bytes', 'bytes=1'])(
    'ignores the range %j',
    async (range) => {
      const answer = await read(`${jobWith('0123456789')}/stdout`, range);
      expect(answer).toMatchObject({ status: 200, text: '0123456789', range: undefined });
    },
  );

  it('gives the same bytes as the whole, whatever is asked for', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(90), fc.nat(90), async (outputs, first, last) => {
        const root = jobWith(...outputs.map((bytes) => Buffer.from(bytes)));
        const whole = Buffer.concat(outputs);
        const { status, body } = await read(`${root}/stdout`, `bytes=${first}-${last}`);
        if (status === 206) expect(body).toEqual(whole.subarray(first, last + 1));
        else expect(status).toBe(last < first ? 200 : 416);
      }),
      { numRuns: 30 },
    );
  });
});

describe('outputReply: follow', () => {
  it.each(['', '?follow=0', '?follow=false', '?x=1'])('does not follow with %j', async (query) => {
    expect((await read(`${jobWith('x')}/stdout${query}`)).length).toBe(1);
  });

  it('gives each byte once until the job has ended, also of an earlier part', async () => {
    const root = jobWith('a', 'b');
    let active = true;
    const record = host.services.database.tree(root);
    if (record === undefined) throw new Error('there is no record');
    const asked = { stream: 'stdout', part: undefined } as const;
    const { outputs } = host;
    const follow = { recordOf: () => record, isActive: () => active };
    const { signal } = new AbortController();
    const body = Readable.from(outputs.follow(root, asked, { ...follow, signal }));
    let got = '';
    body.on('data', (chunk) => {
      got += String(chunk);
    });
    await eventually(() => got === 'ab', { message: 'what is there' });
    appendFileSync(host.outputFile(root, 1, 'stdout'), 'B');
    await eventually(() => got === 'abB', { message: 'what came' });
    // Left behind by the part 0.
    appendFileSync(host.outputFile(root, 0, 'stdout'), 'late');
    await eventually(() => got === 'abBlate', { message: 'what came to an earlier part' });
    appendFileSync(host.outputFile(root, 1, 'stdout'), '.');
    active = false;
    await eventually(() => body.readableEnded, { message: 'the end' });
    expect(got).toBe('abBlate.');
  });

  it('knows no job that was removed', async () => {
    const root = jobWith('a');
    await host.services.database.remove([root]);
    rmSync(dirname(host.outputFile(root, 0, 'stdout')), { recursive: true });
    await expect(ask(`${root}/stdout?follow=1`)).rejects.toThrow('there is no job');
  });
});
