import { expect } from '@jest/globals';
import { describeDifference } from './compare.ts';
import type { RowId } from './differences.ts';
import { bodyOf, judge } from './judge.ts';
import type { Played } from './session.ts';

/** What a client sees where the recording shows a fault of the original. */
export interface FixedBug {
  /** The row of docs/differences.md that says so. */
  readonly row: RowId;
  /** The points in which the answer may differ from the recording; anywhere when left out. */
  readonly differsAt?: RegExp;
  /** Fails when the answer is not what a user expects. */
  readonly check: (body: Body, played: Played) => void;
}

/** The members of a reply that these checks look at. */
type Body = Readonly<Record<string, unknown>>;

const HELLO = { name: 'pman' };

/** The one answer to a hello that asked to echo a text. */
const echoes = (text: string) => (body: Body) => {
  expect(body).toMatchObject({ status: true, d_ret: { ...HELLO, echoBack: { msg: text } } });
};

/** A refusal that names what is wrong. */
const refuses =
  (naming: RegExp, status = 400) =>
  (body: Body, { answer }: Played) => {
    expect({ code: answer?.status, status: body.status }).toEqual({ code: status, status: false });
    expect(body.error).toMatchObject({ message: expect.stringMatching(naming) });
  };

const jobRoots = (count: number) => (value: unknown) => {
  expect(Object.keys(Object(value))).toHaveLength(count);
  expect(Object.values(Object(value))).toEqual(Array.from({ length: count }, () => ({})));
};

export const fixedBugs: Readonly<Record<string, FixedBug>> = {
  'swarm env: status of a plain job has an empty l_status': {
    row: 'D24',
    differsAt: /^body\.d_ret\.l_status/,
    check: (body) => {
      expect(body.d_ret).toMatchObject({ l_status: ['finishedSuccessfully'], l_logs: [] });
    },
  },
  'swarm: container node after completion': {
    row: 'D25',
    differsAt: /currentState$/,
    check: (body) => {
      expect(Object.values(Object(body.GET))).toEqual([
        expect.objectContaining({
          container: expect.objectContaining({ currentState: 'finishedSuccessfully' }),
        }),
      ]);
    },
  },
  'swarm: container job that is not threaded runs the command on the pman host itself': {
    row: 'D28',
    check: (body) => expect(body.status).toBe(true),
  },
  'swarm: manager container fails to start: job is lost without a record': {
    row: 'D27',
    check: (body) => expect(body.status).toBe(true),
  },
  'swarm: status of the lost job': {
    row: 'D27',
    check: (body) => {
      expect(body).toMatchObject({
        status: true,
        d_ret: { '0.end': { returncode: [null] }, l_status: ['finishedWithError'] },
      });
    },
  },
  'openshift: status failed': {
    // The job had ended well before, in this recording; what a failed one is called, the tests of the dialect say.
    row: 'D36',
    differsAt: /^body\.(status|d_ret\.(description|l_logs|l_status\[0\]))$/,
    check: (body) => {
      expect(body).toMatchObject({ status: "['finished']", d_ret: { l_status: ['finished'] } });
    },
  },
  'echoBack containing the text UTF-8 gets a header line spliced into the body': {
    row: 'D15',
    check: (body, { answer }) => {
      echoes('charset=UTF-8')(body);
      // D2: only where a token lets in; and it never was meant to be part of the body.
      expect(answer?.header('Access-Control-Allow-Origin')).toBeUndefined();
    },
  },
  'status looks only at the first sub-command': {
    row: 'D9',
    differsAt: /^body\.d_ret\.l_status\[0\]$/,
    check: (body) => {
      expect(body.status).toBe(true);
      expect(body.d_ret).toMatchObject({ l_status: ['finishedWithError'] });
    },
  },
  'GET a leaf whose value is 0 while running': {
    row: 'D11',
    differsAt: /^body\.GET\./,
    check: (body) => {
      expect(body.status).toBe(true);
      expect(Object.values(Object(body.GET))).toEqual([{ jobCount: 0 }]);
    },
  },
  'run, not threaded: blocks, answers without d_ret and with status false': {
    row: 'D8',
    differsAt: /^body\.status$/,
    check: (body, { answer }) => {
      expect(answer?.status).toBe(200);
      expect(body).toMatchObject({ status: true, action: 'run', meta: { jid: 'job-sync' } });
    },
  },
  'GET record of the wrongly split job': {
    row: 'D10',
    differsAt: /^body\.GET\./,
    check: (body) => {
      const entry = { cmd: 'echo "x;y"', returncode: 0, stdout: 'x;y\n', stderr: '' };
      expect(Object.values(Object(body.GET))).toMatchObject([
        { cmd: 'echo "x;y"', jobCount: 1, end: { 0: { endInfo: { 0: entry } } } },
      ]);
    },
  },
  'status of the wrongly split job': {
    row: 'D10',
    differsAt: /^body\.d_ret\./,
    check: (body) => {
      expect(body.status).toBe(true);
      expect(body.d_ret).toMatchObject({
        '0.start': { startTrigger: [true] },
        '0.end': { returncode: [0] },
        l_status: ['finishedSuccessfully'],
      });
    },
  },
  'auth on: lower-case header name is not seen': {
    row: 'D14',
    check: (body, { answer }) => {
      expect(answer?.status).toBe(200);
      expect(body).toMatchObject({ status: true, d_ret: HELLO });
    },
  },
  'ini path is read as a plain token list: value alone refused': {
    row: 'D14',
    check: (body, { answer }) => {
      expect(answer?.status).toBe(200);
      expect(body).toMatchObject({ status: true, d_ret: HELLO });
    },
  },
  'DBctl save to another dbpath: d_ret is the DB path looked up as a URL': {
    row: 'D12',
    differsAt: /^body\.d_ret/,
    check: (body, { effect }) => {
      expect(body.status).toBe(true);
      jobRoots(2)(body.d_ret);
      expect(effect).toEqual({ 'directory created': true });
    },
  },
  'GET root after the filtered save: the live DB was replaced by the subset': {
    row: 'D13',
    differsAt: /^body\.GET\./,
    check: (body) => jobRoots(2)(body.GET),
  },
  'body followed by a newline: payload not seen': { row: 'D16', check: echoes('f') },
  'head and body in two segments: the head alone is answered': { row: 'D16', check: echoes('f') },
  'Expect 100-continue: no 100 is sent, the head alone is answered': {
    row: 'D16',
    check: echoes('f'),
  },
  'chunked body: payload not seen': { row: 'D16', check: echoes('f') },
  'GET of a job root that does not exist': { row: 'D17', check: refuses(/nope/, 404) },
  'GET with an empty path component': {
    row: 'D17',
    check: (body) => {
      expect(body.status).toBe(true);
      expect(Object.values(Object(body.GET))).toEqual([{ cmd: 'true' }]);
    },
  },
  'payload is not JSON': { row: 'D17', check: refuses(/JSON/) },
  'payload lacks the envelope': { row: 'D17', check: refuses(/payload/) },
  'payload lacks action': { row: 'D17', check: refuses(/action/) },
  'payload lacks meta': { row: 'D17', check: refuses(/meta/) },
  'unknown action': { row: 'D17', check: refuses(/nosuch/) },
  'search without key': { row: 'D17', check: refuses(/key/) },
  'search job without field': {
    row: 'D17',
    check: (body) => {
      const [hit] = Object.values(Object(Object(body.d_ret)[0]));
      const entry = { cmd: 'true', returncode: 0, stdout: '', done: true };
      expect(body.status).toBe(true);
      expect(hit).toMatchObject({ end: { 0: { endInfo: { 0: entry } } } });
    },
  },
  'pretty printed multi-line payload': {
    row: 'D16',
    check: (body) => {
      const now = expect.stringMatching(/^\d{14}\.\d{6}$/);
      expect(body).toMatchObject({ status: true, d_ret: { ...HELLO, timestamp: { now } } });
    },
  },
  'run without jid': { row: 'D17', check: refuses(/jid/) },
  fileiosetup: {
    row: 'D18',
    check: (body) => {
      const port = expect.stringMatching(/^\d+$/);
      expect(body.status).toBe(true);
      expect(body.d_ret).toMatchObject({
        fileioIP: '127.0.0.1',
        fileioport: port,
        serveforever: false,
      });
    },
  },
  'body bigger than 8192 bytes': {
    row: 'D16',
    check: (body, { recorded }) => {
      const sent = JSON.parse(recorded.request.body ?? '');
      echoes(sent.payload.meta.echoBack)(body);
    },
  },
  'head and body in separate TCP segments': { row: 'D16', check: echoes('x') },
  'DBctl without do': { row: 'D17', check: refuses(/\bdo\b/) },
  'DBctl save in pickle format': { row: 'D17', check: refuses(/pickle/) },
};

/** The check of one played case; it also asks that the server went on serving. */
export function checkFixedBug({ check, differsAt }: FixedBug, played: Played): void {
  expect(played.answer).not.toBeNull();
  expect(played.served).toBe(true);
  if (differsAt) {
    const elsewhere = judge(played).unexplained.filter(({ at }) => !differsAt.test(at));
    expect(elsewhere.map(describeDifference)).toEqual([]);
  }
  if (played.answer) check(Object(bodyOf(played.answer)) as Body, played);
}
