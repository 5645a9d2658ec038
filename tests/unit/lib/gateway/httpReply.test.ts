import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { headerValue, headerValues } from '../../../../lib/gateway/headerLines.ts';
import {
  flatHeaders,
  headText,
  keepHeaders,
  keptHead,
  replyBytes,
} from '../../../../lib/gateway/httpReply.ts';

const body = Buffer.from('{}');

const date = ['Date', expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)];

describe('flatHeaders', () => {
  it('tells the date, puts a missing length first and keeps the rest as it is', () => {
    const headers = [
      ['Content-Type', 'application/json'],
      ['x-A', '1'],
    ] as const;
    expect(flatHeaders({ status: 200, headers, body }, false)).toEqual([
      ...date,
      'Content-Length',
      '2',
      'Content-Type',
      'application/json',
      'x-A',
      '1',
    ]);
  });

  it('leaves a length that is there, whatever its case', () => {
    const headers = [['content-length', '7']] as const;
    expect(flatHeaders({ status: 200, headers, body }, false)).toEqual([
      ...date,
      'content-length',
      '7',
    ]);
  });

  it.each([204, 304])('gives none to a %i, which has no body', (status) => {
    expect(flatHeaders({ status, headers: [], body: Buffer.alloc(0) }, false)).toEqual(date);
  });

  it('gives none to a stream', () => {
    expect(flatHeaders({ status: 200, headers: [], body: Readable.from([]) }, false)).toEqual(date);
  });

  it('says close once', () => {
    const headers = [['Connection', 'keep-alive']] as const;
    expect(flatHeaders({ status: 204, headers, body }, true)).toEqual([
      ...date,
      'Connection',
      'close',
    ]);
  });
});

describe('the head of an answer whose header lines are kept', () => {
  it('is the same as that of any other', () => {
    const lines = [['X', 'y'] as const, ['Vary', 'Origin'] as const];
    const reply = { status: 404, headers: keepHeaders([...lines]), body: '{}' };
    const other = headText(404, flatHeaders({ ...reply, headers: lines }, false));
    expect(keptHead(reply, reply.body)).toBe(other);
    expect(keptHead({ ...reply, headers: lines }, reply.body)).toBeUndefined();
  });

  it.each(['grüß', 'a\r\nb: c', '\x7f'])('is made anew where a line holds %j', (value) => {
    const headers = keepHeaders([['X', value]]);
    expect(keptHead({ status: 200, headers, body: '' }, '')).toBeUndefined();
  });
});

describe('replyBytes', () => {
  it('is a whole HTTP answer that closes', () => {
    const text = String(replyBytes({ status: 400, headers: [['X', 'y']], body }));
    expect(text.replace(/Date: [^\r]+ GMT\r\n/, '')).toBe(
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nX: y\r\nConnection: close\r\n\r\n{}',
    );
  });
});

describe('headerValues', () => {
  it('finds a header in any case, and all of them', () => {
    const flat = ['Host', 'a', 'hOST', 'b', 'Hosts', 'c', 'X', 'host'];
    expect(headerValues(flat, 'host')).toEqual(['a', 'b']);
    expect(headerValue(flat, 'host')).toBe('a');
    expect(headerValue(flat, 'accept')).toBeUndefined();
  });
});
