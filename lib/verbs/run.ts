import type { NewJob } from '../client/index.ts';
import { PmanClientError } from '../client/index.ts';
import { UsageError } from '../errors.ts';
import { isHere, quoted } from './commandLine.ts';
import { CannotError } from './failures.ts';
import { type Flag, flagValue, readWords, type Words } from './flagWords.ts';
import { shortId } from './jobText.ts';
import { jobLine, PRINT_FLAGS, printForm } from './printJobs.ts';
import { ownAuid } from './selectors.ts';
import { COMMON_FLAGS, openSession, type Session } from './session.ts';
import { requireSpan } from './spans.ts';
import type { Verb } from './verb.ts';
import { PMAN_FAILED } from './verbExit.ts';

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

/** `pman run`: has a command accepted, and prints the id of its job. */
export const run: Verb = {
  usage: ["[flags] 'SHELL LINE'", '[flags] -- COMMAND [ARGUMENT…]'],
  examples: [
    ["pman run 'make check; make install'", 'a line for the shell; prints the id'],
    ['pman run -f -- make -j8 check', 'shows what it writes, ends with its exit code'],
    ['id=$(pman run --name nightly ./report)', 'the id alone is on stdout'],
    ["pman run --timeout 1h --memory 2Gi './train'", 'with limits'],
    ["pman run --image alpine 'uname -a'", 'in a container'],
  ],
  flags: [
    { name: 'follow', short: 'f', help: 'shows what it writes, and ends with its exit code' },
    { name: 'tie', help: 'with -f: Ctrl-C ends the job, too' },
    ...JOB_FLAGS,
    { name: 'key', value: 'KEY', help: 'with the same key no second job is made' },
    ...PRINT_FLAGS,
    ...COMMON_FLAGS,
  ],
  takesCommand: true,
  async run(call) {
    const words = readWords(call.argv, this.flags, { endsAtWord: true });
    const session = openSession(call, words);
    const form = printForm(words);
    const isFollowed = words.switches.has('follow') || words.switches.has('tie');
    const input = await inputOf(session, words);
    const key = flagValue(words, 'key');
    const job = await session.client
      .run(newJobOf(session, words), {
        ...(key === undefined ? {} : { key }),
        ...(input === undefined ? {} : { input }),
      })
      .catch((error: unknown) => {
        throw refusedFolder(error, session, words);
      });
    if (isFollowed) {
      const { followRun } = await import('./followRun.ts');
      return followRun(session, job, { isTied: words.switches.has('tie'), form });
    }
    session.streams.out.line(form.kind === 'table' ? shortId(job.id) : jobLine(job, form));
    return 0;
  },
};

/** @throws UsageError without a command */
function newJobOf(session: Session, words: Words): NewJob {
  const { rest, isBehindDashes } = words;
  if (rest.length === 0 || rest.every((word) => word.trim() === '')) {
    throw new UsageError("say what is to be run: pman run 'make check'");
  }
  const isLine = rest.length === 1 && !isBehindDashes;
  const command = isLine ? rest.join('') : quoted(rest);
  const isContainer = flagValue(words, 'image') !== undefined;
  const asked = jobMembers(session, words);
  const isElsewhere = isContainer || asked.ssh !== undefined;
  const cwd =
    isElsewhere || asked.cwd !== undefined || !isHere(session.place.url)
      ? {}
      : { cwd: process.cwd() };
  return {
    ...{ command, auid: ownAuid(session), ...cwd, ...asked },
    // A container is given the words; elsewhere one shell has the whole line.
    ...(isContainer ? {} : { shell: true }),
  };
}

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
  const env = pairs(words.values.get('env'), '--env', (name) => session.env[name]);
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
  const { readFileSync } = await import('node:fs');
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CannotError(
      `--stdin: cannot read ${file}: ${(error as Error).message}`,
      [],
      PMAN_FAILED,
    );
  }
}

/** The folder of this process may not be one of the server, though that seems to be on this host. */
function refusedFolder(error: unknown, { place }: Session, words: Words): unknown {
  const isOurs = flagValue(words, 'cwd') === undefined && isHere(place.url);
  if (!isOurs || !(error instanceof PmanClientError) || !/\bcwd\b/.test(error.message))
    return error;
  return new CannotError(error.message, [
    'the folder that you are in was taken for it; --cwd DIR names another one of the server',
  ]);
}
