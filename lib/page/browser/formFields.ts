import type { Job, JobChanges } from '../../client/index.ts';

/** What of a job can be said in a form, in the order in which it is asked. */
export interface Field {
  readonly name: keyof JobChanges;
  readonly label: string;
  readonly help: string;
  readonly kind: 'text' | 'lines' | 'number' | 'switch' | 'pairs' | 'list';
}

const field = (name: Field['name'], kind: Field['kind'], label: string, help: string): Field => ({
  name,
  kind,
  label,
  help,
});

export const FIELDS: readonly Field[] = [
  field('command', 'lines', 'Command', 'Split at each ; unless a shell takes it whole.'),
  field('jid', 'text', 'Name', 'Your own name for it (jid).'),
  field('auid', 'text', 'User', 'Who it is for (auid).'),
  field('shell', 'switch', 'One shell', 'Give the whole line to one shell.'),
  field('image', 'text', 'Image', 'Run it in a container of this image.'),
  field('ssh', 'text', 'Other host', 'user@host[:port], by ssh.'),
  field('cwd', 'text', 'Folder', 'It starts there.'),
  field('timeout', 'number', 'Timeout', 'Seconds that it may take.'),
  field('memory', 'text', 'Memory', 'The most it may use: 512Mi, 2Gi.'),
  field('cpus', 'number', 'CPUs', 'Processors, and parts of one.'),
  field('gpus', 'number', 'GPUs', 'How many.'),
  field('workers', 'number', 'Workers', 'How many containers run it.'),
  field('nice', 'number', 'Nice', '-20 to 19; more is politer.'),
  field('maxOutput', 'text', 'Most output', 'Of each part: 10Mi.'),
  field('user', 'text', 'User inside', 'user, or user:group, of the container.'),
  field('shareDir', 'text', 'Shared folder', 'Containers see it as /share.'),
  field('labels', 'pairs', 'Labels', 'name=value, a line each.'),
  field('env', 'pairs', 'Environment', 'NAME=value, a line each.'),
  field('files', 'list', 'Files to keep', 'out/*.txt, a line each.'),
  field('stdin', 'lines', 'Input', 'What it reads.'),
];

/** As text; of a switch `yes` or `no`. */
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
    shell: job.shell ? 'yes' : 'no',
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
    if (kind === 'pairs') return [[name, pairsIn(value)]];
    if (kind === 'list') return [[name, linesIn(value)]];
    if (kind === 'number') return [[name, Number(value)]];
    if (kind === 'switch') return [[name, value === 'yes']];
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
