import type { Job, JobChanges } from '../../client/index.ts';
import { pairLines, pairsIn } from './fieldText.ts';

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

const QUOTES = '; with line breaks: "a\\nb".';

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
  field('labels', 'pairs', 'Labels', `name=value, a line each${QUOTES}`),
  field('env', 'pairs', 'Environment', `NAME=value, a line each${QUOTES}`),
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
    labels: pairLines(job.labels),
  };
}

/**
 * The job that a form asks for. What is empty is left out: the server says what it lacks.
 * @throws FieldError for what a field cannot mean
 */
export function jobOf(values: Values): JobChanges {
  return membersOf(Object.entries(values).filter(([, value]) => value !== ''));
}

/**
 * What is to be another way than in the former job; what was emptied is taken away.
 * @throws FieldError for what a field cannot mean
 */
export function changesOf(values: Values, before: Values): JobChanges {
  return membersOf(
    Object.entries(values).filter(([name, value]) => value !== (before[name] ?? '')),
  );
}

function membersOf(values: readonly (readonly [string, string])[]): JobChanges {
  return Object.fromEntries(values.map(([name, value]) => [name, memberOf(name, value)]));
}

function memberOf(name: string, value: string): unknown {
  if (value === '') return null;
  const { kind = 'text' } = FIELDS.find((field) => field.name === name) ?? {};
  switch (kind) {
    case 'pairs':
      return pairsIn(name, value);
    case 'list':
      return linesIn(value);
    case 'number':
      return Number(value);
    case 'switch':
      return value === 'yes';
    case 'text':
    case 'lines':
      return value;
  }
}

function linesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
