import type { Difference } from './compare.ts';
import { type CommandCase, payloadOf } from './recording.ts';
import type { Played } from './session.ts';

/** A way in which this pman answers otherwise than the original, on purpose. */
export interface Deviation {
  /** Its row in docs/differences.md. */
  readonly id: `D${number}`;
  /** What a client notices, in a sentence. */
  readonly what: string;
  /** Whether it accounts for this point of difference. */
  readonly allows: (difference: Difference, played: Played) => boolean;
}

/** HTTP's own headers: every answer has them, so a case that differs in nothing else counts as recorded. */
export const HEADERS_ROW = 'D2';

/** Deviations that change what is asked for rather than how one answer looks: see fixedBugs.ts. */
const elsewhere = () => false;

const recordedStatus = ({ recorded }: Played): unknown => {
  const body = recorded.response?.body;
  return typeof body === 'object' && body !== null && 'status' in body ? body.status : undefined;
};

const isRefused = ({ answer }: Played): boolean => (answer?.status ?? 0) >= 400;

const isOfCluster = ({ recorded }: Played): boolean =>
  recorded.server.flags.join(' ').includes('--container-env openshift');

/** Requests that are not HTTP, or whose frame and content disagree; recorded in pman-framing. */
const NOT_HTTP = new Set([
  'bare LF line ends are accepted',
  'HTTP/1.0 request line is answered as 1.1',
  'request line without a version',
  'Content-Length is ignored',
]);

const OWN_HEADERS =
  /^header (date|connection|keep-alive|vary|allow|www-authenticate|access-control-allow-\w+|x-content-type-options|cache-control)$/;

export const deviations = [
  {
    id: 'D1',
    what: 'A refused or failed request has an HTTP status of 400 or more and an `error` member; the original says 200 and no reason.',
    allows: ({ at }, played) =>
      [false, 'Not Found'].includes(recordedStatus(played) as boolean | string) &&
      ((at === 'statusLine' && isRefused(played)) || at === 'body.error'),
  },
  {
    id: HEADERS_ROW,
    what: 'Answers carry the headers of HTTP/1.1 (Date, Connection, Keep-Alive) and those that tell browsers what they may do with them.',
    allows: ({ at, recorded }) => recorded === undefined && OWN_HEADERS.test(at),
  },
  {
    id: 'D3',
    what: '`version` is the number of this program.',
    allows: ({ at, actual }) =>
      at === 'body.d_ret.version' && typeof actual === 'string' && /^\d+\.\d+\.\d+/.test(actual),
  },
  {
    id: 'D4',
    what: 'The Authorization header is masked where the reply echoes the request.',
    allows: ({ at, recorded, actual }) =>
      /^body\.receivedByServer\[\d+\]$/.test(at) &&
      /^authorization: /i.test(String(recorded)) &&
      /^authorization: /i.test(String(actual)) &&
      !String(actual).includes(String(recorded).trim().split(' ').at(-1) ?? ''),
  },
  {
    id: 'D5',
    what: 'Bytes that are not a whole HTTP/1.1 request (bare line feeds, no version, no or a wrong length) are refused and the connection is closed.',
    allows: (_, played) =>
      NOT_HTTP.has(played.recorded.name) && (played.answer === null || isRefused(played)),
  },
  {
    id: 'D6',
    what: 'The connection is closed behind the answer when the client asks for it, after quit, and after HTTP/1.0.',
    allows: ({ at }, { recorded }) =>
      at === 'connection' && ['quit'].includes(String(payloadOf(recorded).action)),
  },
  {
    id: 'D7',
    what: 'A directive file that is no JSON is moved aside and reported once nobody writes to it; the original looks at it again every second, for ever.',
    allows: ({ at }, { recorded }) =>
      at === 'effect.file removed' && typeof recorded.request.directiveFile === 'string',
  },
  {
    id: 'D8',
    what: 'A run that is not threaded reports status true when its job has ended.',
    allows: elsewhere,
  },
  {
    id: 'D9',
    what: 'A job is finished when its last part is, and finishedWithError when any part failed; the original looks at the first part only.',
    allows: elsewhere,
  },
  {
    id: 'D10',
    what: 'A `;` inside quotes does not split a command.',
    allows: elsewhere,
  },
  {
    id: 'D11',
    what: 'A leaf whose value is 0, "", false, null or empty is found, not reported as missing.',
    allows: elsewhere,
  },
  {
    id: 'D12',
    what: 'DBctl answers with the list of jobs, however deep the folder it names lies.',
    allows: ({ at }, { recorded }) =>
      at.startsWith('body.d_ret') &&
      payloadOf(recorded).action === 'DBctl' &&
      payloadOf(recorded).meta?.dbpath !== undefined,
  },
  {
    id: 'D13',
    what: 'Saving a selection of jobs leaves the database as it is; the original keeps only the selection.',
    allows: elsewhere,
  },
  {
    id: 'D14',
    what: 'The Authorization header counts in any case of its name; an .ini file is read like a .cfg.',
    allows: elsewhere,
  },
  {
    id: 'D15',
    what: 'The text "UTF-8" in a reply stays as it is; the original inserts a header line behind it.',
    allows: elsewhere,
  },
  {
    id: 'D16',
    what: 'A request is read by Content-Length or chunked, whatever its size, segments, layout or final newline, and with Expect: 100-continue.',
    allows: elsewhere,
  },
  {
    id: 'D17',
    what: 'A request that cannot be fulfilled is answered with the reason; in the original it ends a listener and gets no answer.',
    allows: elsewhere,
  },
  {
    id: 'D18',
    what: 'fileiosetup answers with the address of a file server; in the original it ends a listener.',
    allows: elsewhere,
  },
  {
    id: 'D23',
    what: 'The entry of a part that has ended has one more member, `usage`: its processor time and memory.',
    allows: ({ at, recorded, actual }) =>
      recorded === undefined &&
      /\.(startInfo|endInfo)\.\d+\.usage$/.test(at) &&
      typeof actual === 'object',
  },
  {
    id: 'D24',
    what: 'A host job of a swarm server has its status; of several hits each has its own.',
    allows: elsewhere,
  },
  {
    id: 'D25',
    what: "A container's currentState is kept up to date, and `cause` says in words why it did not end well.",
    allows: ({ at, actual }) =>
      /\.container\.(currentState|cause|endstamp)$/.test(at) &&
      typeof actual === 'string' &&
      actual !== '',
  },
  {
    id: 'D26',
    what: "The entries of a container job's echo have no pid: no such process is run.",
    allows: ({ at, actual }, { recorded }) =>
      /\.(startInfo|endInfo)\.0\.pid$/.test(at) &&
      actual === undefined &&
      recorded.name === 'swarm: record of a container job',
  },
  {
    id: 'D27',
    what: 'A container job that cannot be scheduled is recorded, with the reason.',
    allows: elsewhere,
  },
  {
    id: 'D28',
    what: 'A container job that is not threaded runs in its container too.',
    allows: elsewhere,
  },
  {
    id: 'D29',
    what: 'The reply to a run shows `meta` as it was sent; the original may show what it has added by then.',
    allows: ({ at }, { recorded }) =>
      /^body\.meta\.(cmd|container|cmdMgr|cmdMrg_byte_str)/.test(at) &&
      payloadOf(recorded).meta?.container !== undefined,
  },
  {
    id: 'D32',
    what: 'The reply to a run names the job: `jobRoot`, and `id`, its short name.',
    allows: ({ at }, { recorded }) =>
      payloadOf(recorded).action === 'run' && /^body\.d_ret/.test(at),
  },
  {
    id: 'D33',
    what: 'An integer jid is found by its number too, not only by its text.',
    allows: (_, { recorded }) => recorded.name === 'search integer jid with an integer: no match',
  },
  {
    id: 'D31',
    what: 'A container that never ran is finishedWithError, without a return code.',
    allows: ({ at, actual }, { recorded }) =>
      recorded.name === 'swarm: status rejected is undefined' &&
      ((/\.l_status\[0\]$/.test(at) && actual === 'finishedWithError') ||
        (/\.returncode\[0\]$/.test(at) && actual === null)),
  },
  {
    id: 'D34',
    what: 'The reply has `warnings` when a member of meta is likely to mean something else than it says.',
    allows: ({ at, actual }, { recorded }) =>
      at === 'body.warnings' &&
      /threaded/.test(String(actual)) &&
      JSON.stringify(payloadOf(recorded)).includes('"threaded":"false"'),
  },
  {
    id: 'D35',
    what: 'A job of a cluster is in the database like all others: status, GET and the rest know it.',
    allows: ({ at, recorded }, played) =>
      isOfCluster(played) &&
      recorded === undefined &&
      /^body\.(d_ret\.(\d+|-1)\.(container|start|end)|GET\..*)$/.test(at),
  },
  {
    id: 'D36',
    what: 'A job of a cluster that has ended stays as it ended, whatever the cluster shows later.',
    allows: ({ at }, { recorded }) =>
      recorded.name === 'openshift: status inactive' &&
      /^body\.(status|d_ret\.(description|l_logs|l_status\[0\]))$/.test(at),
  },
  {
    id: 'D37',
    what: 'A Job has no time to live, and its pod its time limit: the Job has 60 s more.',
    allows: ({ at, recorded, actual }) =>
      (at === 'cluster POST jobs.spec.ttlSecondsAfterFinished' && actual === undefined) ||
      (at === 'cluster POST jobs.spec.activeDeadlineSeconds' && actual === Number(recorded) + 60),
  },
  {
    id: 'D38',
    what: 'The numbers of workers are whole numbers in a Job, not texts.',
    allows: ({ at, recorded, actual }) =>
      /^cluster POST jobs\.spec\.(parallelism|completions)$/.test(at) &&
      actual === Number(recorded),
  },
  {
    id: 'D39',
    what: 'Without swift there is no claim, so none is removed.',
    allows: ({ at, actual }, { recorded }) =>
      /^cluster DELETE persistentvolumeclaims/.test(at) &&
      actual === undefined &&
      recorded.server.env.STORAGE_TYPE !== 'swift',
  },
  {
    id: 'D41',
    what: 'An answer to a client that is not let in repeats nothing of its request.',
    allows: ({ at, actual }, { answer }) =>
      answer?.status === 401 &&
      /^body\.(RESTheader|RESTverb|path|receivedByServer)(\[\d+\])?$/.test(at) &&
      (actual === undefined || actual === '' || (Array.isArray(actual) && actual.length === 0)),
  },
  {
    id: 'D42',
    what: 'dbpath names a place below --exportPath, which by default is a folder of pman itself. The replay names the folder that the recorded requests save to.',
    allows: elsewhere,
  },
] as const satisfies readonly Deviation[];

/** The same for command lines. */
export interface CommandDeviation {
  readonly id: `D${number}`;
  readonly what: string;
  readonly allows: (difference: Difference, recorded: CommandCase) => boolean;
}

const INFORMS = /^(--vers\w*|-x|--desc|-y|--synopsis|--man)$/;
const CRASHED = /^Traceback/;
const STACK_TRACE = /^\s+at .*:\d+:\d+\)?$/m;

export const commandDeviations = [
  {
    id: 'D19',
    what: 'Usage, help and errors of the command lines are worded anew; an error is one sentence, not a Python traceback.',
    allows: ({ at, actual }, { stderr }) =>
      at === 'stderr' && stderr !== '' && actual !== '' && !STACK_TRACE.test(String(actual)),
  },
  {
    id: 'D20',
    what: '`--version` prints the number of this program; it, `--desc`, `--synopsis` and `--man` exit with 0.',
    allows: ({ at, actual }, { args, stdout }) =>
      args.some((arg) => INFORMS.test(arg)) &&
      ((at === 'exitCode' && actual === 0) ||
        (at === 'stdout' &&
          /^Version: /.test(stdout) &&
          /^Version: \d+(\.\d+)+\n$/.test(String(actual)))),
  },
  {
    id: 'D22',
    what: 'Flags and configuration that cannot be used end a program with 2 (crunner with 65 when it is the ssh target); where the original crashes it is 1.',
    allows: ({ at, actual }, { program, stderr }) =>
      at === 'exitCode' &&
      CRASHED.test(stderr) &&
      actual === (program.startsWith('crunner') ? 65 : 2),
  },
  {
    id: 'D34',
    what: 'swarm without arguments, and pman_do with nothing to write, say so and end with 2.',
    allows: ({ at, actual }, { args }) =>
      (args.length === 0 || args.includes('zz')) &&
      ((at === 'exitCode' && actual === 2) || (at === 'stderr' && actual !== '')),
  },
  {
    id: 'D30',
    what: "crunner's trace lines are in colour on a terminal only; recordings hold a placeholder for them.",
    allows: () => false,
  },
] as const satisfies readonly CommandDeviation[];

/** Where crunner does what the original only promised; see fixedCommands. */
export const FIXED_CRUNNER = {
  id: 'D21',
  what: 'crunner honours quotes in a pipeline, prints JSON and events where the original crashes, and reports a syntax error as the shell does.',
} as const;

export const allRows: ReadonlyArray<{ readonly id: string; readonly what: string }> = [
  ...deviations,
  ...commandDeviations,
  FIXED_CRUNNER,
];

export type RowId = (typeof deviations)[number]['id'];
