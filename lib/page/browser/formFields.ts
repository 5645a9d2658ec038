import type { Job, JobChanges } from '../../client/index.ts';

/** What of a job can be said in a form, in the order in which it is asked. */
export interface Field {
  readonly name: keyof JobChanges;
  readonly label: string;
  readonly help: string;
  readonly kind: 'text' | 'lines' | 'number' | 'switch' | 'pairs' | 'list';
}

export const FIELDS: readonly Field[] = [
  {
    name: 'command',
    label: 'Command',
    help: 'Split at each ; unless a shell takes it whole.',
    kind: 'lines',
  },
  { name: 'jid', label: 'Name', help: 'Your own name for it (jid).', kind: 'text' },
  { name: 'auid', label: 'User', help: 'Who it is for (auid).', kind: 'text' },
  { name: 'shell', label: 'One shell', help: 'Give the whole line to one shell.', kind: 'switch' },
  { name: 'image', label: 'Image', help: 'Run it in a container of this image.', kind: 'text' },
  { name: 'ssh', label: 'Other host', help: 'user@host[:port], by ssh.', kind: 'text' },
  { name: 'cwd', label: 'Folder', help: 'It starts there.', kind: 'text' },
  { name: 'timeout', label: 'Timeout', help: 'Seconds that it may take.', kind: 'number' },
  { name: 'memory', label: 'Memory', help: 'The most it may use: 512Mi, 2Gi.', kind: 'text' },
  { name: 'cpus', label: 'CPUs', help: 'Processors, and parts of one.', kind: 'number' },
  { name: 'gpus', label: 'GPUs', help: 'How many.', kind: 'number' },
  { name: 'workers', label: 'Workers', help: 'How many containers run it.', kind: 'number' },
  { name: 'nice', label: 'Nice', help: '-20 to 19; more is politer.', kind: 'number' },
  { name: 'maxOutput', label: 'Most output', help: 'Of each part: 10Mi.', kind: 'text' },
  {
    name: 'user',
    label: 'User inside',
    help: 'user, or user:group, of the container.',
    kind: 'text',
  },
  { name: 'shareDir', label: 'Shared folder', help: 'Containers see it as /share.', kind: 'text' },
  { name: 'labels', label: 'Labels', help: 'name=value, a line each.', kind: 'lines' },
  { name: 'env', label: 'Environment', help: 'NAME=value, a line each.', kind: 'lines' },
  { name: 'files', label: 'Files to keep', help: 'out/*.txt, a line each.', kind: 'lines' },
  { name: 'stdin', label: 'Input', help: 'What it reads.', kind: 'lines' },
];

export type Values = Readonly<Record<string, string>>;

/** What a form shows of a former job. Its environment and its input are not told: they stay as they were. */
export function valuesOf(job: Job | undefined): Values {
  if (job === undefined) return {};
  const { asked } = job;
  const text = (value: string | number | null) => (value === null ? '' : String(value));
  return {
    command: job.command,
    jid: job.jid ?? '',
    auid: job.auid ?? '',
    image: job.image ?? '',
    cwd: job.cwd ?? '',
    timeout: text(asked.timeout),
    memory: text(asked.memory),
    cpus: text(asked.cpus),
    gpus: text(asked.gpus),
    workers: text(asked.workers),
    nice: text(asked.nice),
    maxOutput: text(asked.maxOutput),
    labels: Object.entries(job.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  };
}

/** The job that a form asks for. What is empty is left out: the server says what it lacks. */
export function jobOf(values: Values): JobChanges {
  const members = Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
    if (value === '') return [];
    const kind = FIELDS.find((field) => field.name === name)?.kind;
    if (name === 'labels' || name === 'env') return [[name, pairsIn(value)]];
    if (name === 'files') return [[name, linesIn(value)]];
    if (kind === 'number') return [[name, Number(value)]];
    if (kind === 'switch') return [[name, true]];
    return [[name, value]];
  });
  return Object.fromEntries(members) as JobChanges;
}

function linesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function pairsIn(text: string): Record<string, string> {
  const pairs = linesIn(text).map((line): [string, string] => {
    const at = line.indexOf('=');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}
