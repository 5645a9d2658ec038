import { homedir } from 'node:os';
import type { Job } from '../client/index.ts';
import { agoText, bytesText, durationText, spanText } from '../terminal/amounts.ts';
import { cutEnd, padEnd, padStart } from '../terminal/cutText.ts';
import { oneLine } from '../terminal/oneLine.ts';
import { clockText, dayText } from '../terminal/wallClock.ts';
import { widthOf } from '../terminal/width.ts';
import { endText, whyText } from './follow.ts';
import {
  inStateColour,
  nameOf,
  shortId,
  signInColour,
  signOf,
  stateText,
  tookMs,
} from './jobText.ts';
import type { Session } from './session.ts';

const LABEL_COLUMNS = 9;
/** The head is no wider: a glance takes it in. */
const MOST_COLUMNS = 100;
/** What is read of the end of an output, and how much of that is shown. */
const END_BYTES = 64 * 1024;
const END_LINES = 10;

/** All about a job, as people read it on a terminal. */
export async function sheetLines(session: Session, job: Job): Promise<readonly string[]> {
  const { client, streams, style } = session;
  const { out, signs } = streams;
  const [stdoutBytes, stderrBytes] = await Promise.all([
    client.outputSize(job),
    client.outputSize(job, { stream: 'stderr' }),
  ]);
  const columns = out.columns();
  const why = whyText(job);
  const rows: (readonly [string, readonly string[]])[] = [
    ['command', [oneLine(job.command)]],
    ...(why === undefined ? [] : [['why', [why]] as const]),
    ['when', [whenText(job)]],
    ['where', [whereText(job)]],
    ...(Object.keys(job.labels).length === 0
      ? []
      : [
          [
            'labels',
            [
              Object.entries(job.labels)
                .map(([name, value]) => oneLine(`${name}=${value}`))
                .join(', '),
            ],
          ] as const,
        ]),
    ...(job.rerunOf === null ? [] : [['rerun of', [shortId(job.rerunOf)]] as const]),
    ...(job.parts.length > 1 ? [['parts', partLines(session, job)] as const] : []),
    ['used', [usedText(job, stdoutBytes, stderrBytes)]],
    ...(await outputEnd(session, job, { stdoutBytes, stderrBytes })),
    ['next', [style.dim(nextLines(job).join(` ${signs.dot} `))]],
  ];
  return [
    headLine(session, job, Math.min(columns, MOST_COLUMNS)),
    ...rows.flatMap(([label, texts]) =>
      texts.map((text, i) => {
        const head = `  ${padEnd(i === 0 ? label : '', LABEL_COLUMNS - 1)} `;
        return `${style.dim(head)}${text}`;
      }),
    ),
  ];
}

function headLine({ streams, style }: Session, job: Job, columns: number): string {
  const { signs } = streams;
  const left = `${signOf(job.state, signs)} ${shortId(job.id)}  `;
  const end = job.endedAt === null ? runningText(job) : endText(job);
  const room = Math.max(8, columns - widthOf(left) - widthOf(end) - 2);
  const name = cutEnd(oneLine(nameOf(job)), room, signs.mark);
  const gap = padEnd('', Math.max(2, columns - widthOf(left) - widthOf(name) - widthOf(end)));
  const sign = signInColour(style, signs, job.state);
  const shown = inStateColour(style, job.state, end);
  return `${sign}${style.bold(`${left.slice(signOf(job.state, signs).length)}${name}`)}${gap}${style.bold(shown)}`;
}

function runningText(job: Job): string {
  const took = tookMs(job, Date.now());
  return took === undefined ? stateText(job) : `${stateText(job)} ${durationText(took)}`;
}

/** `28 Nov 14:02:11 to 14:02:23, an hour ago; waited 0 s`. */
function whenText({ acceptedAt, startedAt, endedAt }: Job): string {
  const now = Date.now();
  const accepted = Date.parse(acceptedAt);
  if (startedAt === null) {
    const end = endedAt === null ? '' : `; ended ${clockText(Date.parse(endedAt))}`;
    return `sent ${dayText(accepted, now)} ${clockText(accepted)}, ${agoText(now - accepted)}${end}`;
  }
  const started = Date.parse(startedAt);
  const waited = `waited ${durationText(started - accepted)}`;
  const from = `${dayText(started, now)} ${clockText(started)}`;
  if (endedAt === null) return `${from}, ${agoText(now - started)}; ${waited}`;
  const ended = Date.parse(endedAt);
  const isSameDay = dayText(started, now) === dayText(ended, now);
  const to = `${isSameDay ? '' : `${dayText(ended, now)} `}${clockText(ended)}`;
  return `${from} to ${to}, ${agoText(now - ended)}; ${waited}`;
}

/** `host, ~/proj, nice 10, timeout 1h; for ana, jid nightly-1128`. */
function whereText({ backend, image, cwd, asked, auid, jid }: Job): string {
  const limits = [
    ...(asked.nice === null ? [] : [`nice ${asked.nice}`]),
    ...(asked.timeout === null ? [] : [`timeout ${spanText(asked.timeout * 1000)}`]),
    ...(asked.memory === null ? [] : [`memory ${asked.memory}`]),
    ...(asked.cpus === null ? [] : [`cpus ${asked.cpus}`]),
    ...(asked.gpus === null ? [] : [`gpus ${asked.gpus}`]),
    ...(asked.workers === null ? [] : [`workers ${asked.workers}`]),
    ...(asked.maxOutput === null ? [] : [`output ${asked.maxOutput}`]),
  ];
  const place = [
    backend,
    ...(image === null ? [] : [image]),
    ...(cwd === null ? [] : [homely(cwd)]),
  ];
  const whom = [
    ...(auid === null || auid === '' ? [] : [`for ${auid}`]),
    ...(jid === null || jid === '' ? [] : [`jid ${jid}`]),
  ];
  const where = [...place, ...limits].join(', ');
  return oneLine(whom.length === 0 ? where : `${where}; ${whom.join(', ')}`);
}

/** A folder as its user writes it. */
function homely(folder: string): string {
  const home = homedir();
  if (folder === home) return '~';
  return home !== '/' && folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder;
}

function partLines({ streams, style }: Session, { parts, state }: Job): readonly string[] {
  const { out, signs } = streams;
  const stands = parts.map((part) => {
    const { exitCode, startedAt, endedAt } = part;
    const isActive = endedAt === null && exitCode === null;
    const stand: Job['state'] = isActive
      ? startedAt === null
        ? 'waiting'
        : 'running'
      : exitCode === 0
        ? 'succeeded'
        : state === 'killed'
          ? 'killed'
          : 'failed';
    const text = stateText({ state: stand, exitCode, reason: null, place: null });
    const took = tookMs({ startedAt, endedAt }, Date.now());
    return { part, stand, text, took: took === undefined ? '' : durationText(took) };
  });
  const widest = Math.max(...stands.map(({ text }) => widthOf(text)));
  const longest = Math.max(...stands.map(({ took }) => widthOf(took)));
  return stands.map(({ part, stand, text, took }, i) => {
    const head = `${padStart(String(i), String(parts.length - 1).length)}  `;
    const sign = signInColour(style, signs, stand);
    const shown = inStateColour(style, stand, padEnd(text, widest));
    const used = 2 + LABEL_COLUMNS + widthOf(head) + 2 + widest + 2 + longest + 2;
    const command = cutEnd(oneLine(part.command), Math.max(8, out.columns() - used), signs.mark);
    return `${head}${sign} ${shown}  ${padStart(took, longest)}  ${command}`;
  });
}

/** `cpu 41 s, peak 1.2 GiB, out 18 KiB, err 412 B`. */
function usedText({ usage }: Job, out: number, err: number): string {
  const cpu = (usage?.userSeconds ?? 0) + (usage?.systemSeconds ?? 0);
  const peak = usage?.peakMemoryBytes ?? null;
  return [
    ...(usage === null ? [] : [`cpu ${durationText(cpu * 1000)}`]),
    ...(peak === null ? [] : [`peak ${bytesText(peak)}`]),
    ...[`out ${bytesText(out)}`, `err ${bytesText(err)}`],
  ].join(', ');
}

/** The last lines of stderr of a job that did not end well, else of stdout; of what there is. */
async function outputEnd(
  { client, streams, style }: Session,
  job: Job,
  { stdoutBytes, stderrBytes }: { readonly stdoutBytes: number; readonly stderrBytes: number },
): Promise<readonly (readonly [string, readonly string[]])[]> {
  const isBad = job.state === 'failed' || job.state === 'killed' || job.state === 'lost';
  const order = isBad ? (['stderr', 'stdout'] as const) : (['stdout', 'stderr'] as const);
  const sizes = { stdout: stdoutBytes, stderr: stderrBytes };
  const stream = order.find((one) => sizes[one] > 0);
  if (stream === undefined) return [];
  const { out, signs } = streams;
  const from = Math.max(0, sizes[stream] - END_BYTES);
  const text = await client.text(job, { stream, from });
  const lines = text.replace(/\n$/, '').split('\n');
  const shown = lines.slice(-END_LINES);
  const left = lines.length - shown.length;
  const room = Math.max(8, out.columns() - 2 - LABEL_COLUMNS);
  const before =
    from > 0
      ? [style.dim(`${signs.mark} ${bytesText(sizes[stream] - shown.join('\n').length)} before`)]
      : left > 0
        ? [style.dim(`${signs.mark} ${left} ${left === 1 ? 'line' : 'lines'} before`)]
        : [];
  // What a progress bar has written over itself is seen as it stood last.
  const last = (line: string) => line.replace(/\r$/, '').replace(/^.*\r/, '');
  return [
    [stream, [...before, ...shown.map((line) => cutEnd(oneLine(last(line)), room, signs.mark))]],
  ];
}

function nextLines(job: Job): readonly string[] {
  const id = shortId(job.id);
  if (job.endedAt === null && job.state !== 'lost')
    return [`pman logs -f ${id}`, `pman kill ${id}`];
  return [`pman logs ${id}`, `pman rerun ${id}`];
}
