import type { JobStatus } from '../../jobs/progress.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import type { EnvelopeDialect, Standing } from './dialect.ts';

const NOT_FOUND = 'Not Found';

/** The original's words (protocol h). It calls a job that has failed `started`. */
const WORDS = {
  notstarted: 'inactive',
  started: 'started',
  finishedSuccessfully: 'finished',
  finishedWithError: 'finishedWithError',
  lost: 'finishedWithError',
} as const satisfies Readonly<Record<JobStatus, string>>;

/** As pman answers when its jobs are a cluster's (protocol h). `note` and `cause` are ours. */
export const openshiftDialect: EnvelopeDialect = {
  status(reports) {
    if (reports.length === 0) {
      return {
        status: NOT_FOUND,
        members: [
          ['description', NOT_FOUND],
          ['l_logs', NOT_FOUND],
          ['l_status', NOT_FOUND],
        ],
      };
    }
    const words = reports.map(({ status }) => WORDS[status]);
    const notes = [...new Set(reports.flatMap(({ note }) => note ?? []))];
    return {
      status: pythonText(words),
      members: [
        ['description', reports.map(descriptionOf).join('\n')],
        ['l_logs', reports.map(logsOf).join('')],
        ['l_status', words],
        ...(notes.length > 0 ? [['note', notes.join('; ')] as const] : []),
      ],
    };
  },
  nothingDeleted: {
    status: NOT_FOUND,
    result: { action: 'Delete Job', job_id: '', status: NOT_FOUND },
  },
  deleted: 'Job deleted successfully',
  endsToDelete: true,
};

/** What an ended job has written, each pod's behind its name; of others the word for their state. */
function logsOf({ status, combined = '', outputs = [] }: Standing): string {
  if (status === 'notstarted' || status === 'started') return WORDS[status];
  let at = 0;
  const pieces = outputs.map(({ label, length }) => {
    const piece = combined.slice(at, at + length);
    at += length;
    return `${label}:${piece}`;
  });
  return pieces.join('') + combined.slice(at);
}

const FIELDS = [
  ...['Message', 'State', 'Reason', 'Active', 'Failed', 'Succeeded'],
  ...['StartTime', 'CompletionTime'],
] as const;
const STATES: Readonly<Record<string, string>> = {
  started: 'running',
  finished: 'complete',
  inactive: 'inactive',
  finishedWithError: 'failed',
};

/** The cluster's status of a job as Python prints it; the state counts that the other members tell. */
function descriptionOf({ status, shown }: Standing): string {
  const known = isJsonObject(shown?.Status) ? shown.Status : {};
  const word = WORDS[status];
  const all: JsonObject = { ...known, Message: word, State: STATES[word] ?? word };
  const fields = FIELDS.map((name) => `'${name}': ${fieldText(name, all[name] ?? null)}`);
  return `{${fields.join(', ')}}`;
}

function fieldText(name: string, value: JsonValue): string {
  const time =
    name.endsWith('Time') && typeof value === 'string'
      ? /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(value)
      : null;
  if (time === null) return pythonText(value);
  // The original's client reads times as those of this zone.
  return `datetime.datetime(${time.slice(1).map(Number).join(', ')}, tzinfo=tzlocal())`;
}

/** As Python's repr writes it. */
function pythonText(value: JsonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(pythonText).join(', ')}]`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
