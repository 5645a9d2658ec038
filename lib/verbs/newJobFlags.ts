import { readFileSync } from 'node:fs';
import type { NewJob } from '../client/index.ts';
import { messageOf, UsageError } from '../errors.ts';
import { refuseForeignVariable } from '../foreignBytes.ts';
import { CannotError } from './failures.ts';
import { type Flag, flagValue, type Words } from './flagWords.ts';
import type { Session } from './session.ts';
import { requireSpan } from './spans.ts';

/** What a job is made of; `rerun` takes the same as changes. */
export const JOB_FLAGS: readonly Flag[] = [
  { name: 'name', value: 'NAME', help: 'what it is called (jid)' },
  {
    name: 'cwd',
    value: 'DIR',
    help: 'its folder (default: this one, where the server is on this host)',
  },
  {
    name: 'env',
    short: 'e',
    value: 'NAME[=VALUE]',
    isList: true,
    help: 'a variable; without a value, that of here',
  },
  { name: 'stdin', value: 'FILE', help: 'what it reads; - for what comes in here' },
  { name: 'timeout', value: 'TIME', help: 'ends it after 90s, 1h30m …' },
  { name: 'memory', value: 'SIZE', help: 'the most that it may use: 512Mi' },
  { name: 'cpus', value: 'N', help: 'processors: 2, 0.5' },
  { name: 'gpus', value: 'N', help: 'in a container' },
  { name: 'max-output', value: 'SIZE', help: 'ends it when it writes more: 100Mi' },
  { name: 'nice', value: 'N', help: 'its priority, -20 to 19' },
  { name: 'label', value: 'NAME=VALUE', isList: true, help: 'to find it by' },
  { name: 'image', value: 'IMAGE', help: 'runs it in a container of it' },
  {
    name: 'backend',
    value: 'NAME',
    among: ['host', 'swarm', 'docker', 'kubernetes'],
    help: 'refuses it where something else would run it',
  },
  { name: 'workers', value: 'N', help: 'so many containers' },
  {
    name: 'mount',
    value: 'DIR:PATH[:ro]',
    isList: true,
    help: 'a folder of the host in the container',
  },
  { name: 'user', value: 'USER', help: 'who it is in the container' },
  { name: 'ssh', value: 'USER@HOST', help: 'runs it on another host' },
  { name: 'files', value: 'PATTERN', isList: true, help: 'files that are to be had of it: out/**' },
  { name: 'auid', value: 'NAME', help: 'who it is for (default: you)' },
];

/** The members of a job that flags name. */
export function jobMembers(session: Session, words: Words): Partial<NewJob> {
  const text = <Name extends string>(member: Name, flag: string = member) => {
    const value = flagValue(words, flag);
    return value === undefined ? {} : ({ [member]: value } as Record<Name, string>);
  };
  const amount = <Name extends string>(member: Name) => {
    const value = flagValue(words, member);
    if (value === undefined) return {};
    if (!/^-?\d+(\.\d+)?$/.test(value)) {
      throw new UsageError(`--${member} ${JSON.stringify(value)} is no number`);
    }
    return { [member]: Number(value) } as Record<Name, number>;
  };
  const timeout = flagValue(words, 'timeout');
  const files = words.values.get('files');
  const backend = flagValue(words, 'backend') as NewJob['backend'];
  const mounts = words.values.get('mount')?.map(mountOf);
  const env = pairs(words.values.get('env'), '--env', (name) => {
    refuseForeignVariable(name, session.env[name]);
    return session.env[name];
  });
  const labels = pairs(words.values.get('label'), '--label');
  return {
    ...text('jid', 'name'),
    ...text('cwd'),
    ...text('image'),
    ...text('user'),
    ...text('ssh'),
    ...text('auid'),
    ...sizeOf(words, 'memory', 'memory'),
    ...sizeOf(words, 'maxOutput', 'max-output'),
    ...amount('cpus'),
    ...amount('gpus'),
    ...amount('workers'),
    ...amount('nice'),
    ...(timeout === undefined ? {} : { timeout: requireSpan(timeout, '--timeout') / 1000 }),
    ...(files === undefined ? {} : { files: [...files] }),
    ...(backend === undefined ? {} : { backend }),
    ...(mounts === undefined ? {} : { mounts }),
    ...(env === undefined ? {} : { env }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** A plain number is bytes, as in the API. */
function sizeOf<Name extends string>(words: Words, member: Name, flag: string) {
  const value = flagValue(words, flag);
  if (value === undefined) return {};
  const size = /^\d+$/.test(value) ? Number(value) : value;
  return { [member]: size } as Record<Name, string | number>;
}

/**
 * The labels by which jobs are looked for, as they were given.
 * @throws UsageError for one that is not of the form NAME=VALUE
 */
export function labelsWanted({ values }: Pick<Words, 'values'>): string[] | undefined {
  const given = values.get('label');
  pairs(given, '--label');
  return given && [...given];
}

function pairs(
  given: readonly string[] | undefined,
  flag: string,
  valueHere?: (name: string) => string | undefined,
): Record<string, string> | undefined {
  if (given === undefined) return undefined;
  const entries = given.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    const here = at < 0 ? valueHere?.(text) : undefined;
    if (here !== undefined) return [text, here];
    throw new UsageError(
      valueHere === undefined || at >= 0
        ? `${flag} ${JSON.stringify(text)} is not of the form NAME=VALUE`
        : `${flag} ${text}: there is no such variable here; give it a value: ${text}=…`,
    );
  });
  return Object.fromEntries(entries);
}

function mountOf(text: string): { source: string; target: string; readOnly: boolean } {
  const [, source, target, mode] = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(text) ?? [];
  if (source === undefined || target === undefined) {
    throw new UsageError(
      `--mount ${JSON.stringify(text)} is not of the form DIR:/PATH or DIR:/PATH:ro`,
    );
  }
  return { source, target, readOnly: mode === 'ro' };
}

/** @throws CannotError for a file that cannot be read */
export async function inputOf({ streams }: Session, words: Words): Promise<Uint8Array | undefined> {
  const file = flagValue(words, 'stdin');
  if (file === undefined) return undefined;
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of streams.input) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CannotError(`--stdin: cannot read ${file}: ${messageOf(error)}`);
  }
}
