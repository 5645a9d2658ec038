import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { messageOf, PmanError, UsageError } from '../../lib/errors.ts';
import { refuseForeignWords } from '../../lib/foreignBytes.ts';
import { keepDescriptors } from '../../lib/host/keptDescriptors.ts';
import { crunner, type Run, type RunEvent } from '../attached/runCommand.ts';
import { writeFd } from '../attached/writeFd.ts';
import { complain } from './complain.ts';
import { EXIT, SSH_EXIT } from './exitCodes.ts';
import { type Flags, parseFlags } from './flags.ts';
import { JobOutput } from './output.ts';
import type { TerminalInput } from './terminalInput.ts';
import { makeTrace } from './trace.ts';

/** Ends the job and everything after it; the second one of them kills. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Only passed on. */
const OTHER_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

/** The program: resolves to its exit status. `argv` is what follows the program's name. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    refuseForeignWords(argv);
    const flags = parseFlags(argv);
    if (flags.synopsis) {
      await say((await import('./help.ts')).USAGE);
      return 0;
    }
    if (flags.help || flags.desc) {
      await say((await import('./help.ts')).helpText());
      return 0;
    }
    if (flags.version) {
      await say(`Version: ${(await import('../../lib/version.ts')).VERSION}\n`);
      return 0;
    }
    if (flags.command === undefined) {
      complain('no command: give one with -c CMD');
      return EXIT.noCommand;
    }
    return await runCommand(flags, flags.command);
  } catch (error) {
    return explain(error);
  }
}

async function runCommand(flags: Flags, command: string): Promise<number> {
  const handedDown = await keepDescriptors();
  if (handedDown.length > 0)
    complain(
      `the command has the open files of crunner, too: descriptors ${handedDown.join(', ')}`,
    );
  const ssh = await connectionOf(flags);
  const typed = await terminalInput();
  const output = new JobOutput(flags, ssh?.target, typed);
  const trace = tracer(flags);
  if (flags.echoCmd) await say(`${command}\n`);

  const run = crunner(command, {
    pipeline: flags.pipeline,
    ...(ssh !== undefined && { ssh }),
    stdio: () => output.stdio(),
    graceMs: Number.POSITIVE_INFINITY, // whoever signals us decides when to signal again
  });
  const signals = passSignals(run, typed);
  let last = 0;
  let firstFailure = 0;
  let ended = false;
  try {
    for await (const event of run) {
      if (trace !== undefined) await trace(event);
      if (flags.eventloop) await say(eventLine(event));
      if (event.type === 'start') continue;
      await output.ended(event);
      ended = true;
      last = event.returncode;
      if (firstFailure === 0) firstFailure = last;
    }
  } catch (error) {
    // The job was ended on request, so that ssh ended with it is no failure of ssh.
    if (signals.received() === undefined) throw error;
  } finally {
    signals.close();
    typed?.close();
  }
  await output.print();
  const returncode = flags.pipefail ? firstFailure : last;
  const signal = signals.received();
  // Parts that were not run any more are no success.
  if (signal !== undefined && returncode === 0 && (!ended || flags.pipeline)) {
    return exitStatus(-constants.signals[signal]);
  }
  return exitStatus(returncode);
}

/** The sum of a signal death is taken as Python's `sys.exit` takes it: SIGKILL gives 247. */
function exitStatus(returncode: number): number {
  return ((returncode % 256) + 256) % 256;
}

interface PassedSignals {
  /** The first signal that ended the run. */
  received(): NodeJS.Signals | undefined;
  close(): void;
}

/** Hands the signals that this process gets to the job, which is in a session of its own. */
function passSignals(run: Run, typed: TerminalInput | undefined): PassedSignals {
  let first: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals) => {
    if (first === undefined) run.stop(signal);
    else run.kill('SIGKILL');
    first ??= signal;
  };
  const pass = (signal: NodeJS.Signals) => {
    run.kill(signal);
    if (signal === 'SIGCONT') typed?.resume();
  };
  // Ctrl-Z: TSTP does not stop what is in a session without a terminal. CONT is passed on.
  const pause = () => {
    typed?.pause();
    run.kill('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  for (const signal of OTHER_SIGNALS) process.on(signal, pass);
  process.on('SIGTSTP', pause);
  return {
    received: () => first,
    close: () => {
      for (const signal of ENDING_SIGNALS) process.off(signal, end);
      for (const signal of OTHER_SIGNALS) process.off(signal, pass);
      process.off('SIGTSTP', pause);
    },
  };
}

/** What is typed, when stdin is a terminal. */
async function terminalInput(): Promise<TerminalInput | undefined> {
  if (!isatty(0)) return undefined;
  return new (await import('./terminalInput.ts')).TerminalInput();
}

/** The way to the other host, if there is one. */
async function connectionOf({ ssh: target, identity, sshOptions }: Flags) {
  if (target === undefined) {
    if (sshOptions.length > 0) throw new UsageError('argument -o/--ssh-option: only with --ssh');
    if (identity !== undefined) throw new UsageError('argument -i/--identity: only with --ssh');
    return undefined;
  }
  const { parseSshTarget } = await import('../ssh/ssh.ts');
  if (identity !== undefined && !existsSync(identity)) {
    throw new UsageError(`argument -i/--identity: there is no file '${identity}'`);
  }
  return {
    target: parseSshTarget(target),
    options: sshOptions,
    ...(identity !== undefined && { identity }),
  };
}

/** Traces the events, or undefined when no one wants to see them. */
function tracer(flags: Flags): ((event: RunEvent) => Promise<void>) | undefined {
  if (flags.verbosity < 0 && !flags.debugToFile) return undefined;
  const trace = makeTrace(flags, process.stdout.isTTY);
  return async (event) => {
    const { part, pid, cmd } = event;
    if (event.type === 'start') {
      await trace(0, `job ${part} started, pid ${pid}`);
      await trace(1, `job ${part} runs ${cmd}`);
    } else {
      await trace(0, `job ${part} ended, return code ${event.returncode}`);
      await trace(1, `job ${part} took ${event.endedAt.getTime() - event.startedAt.getTime()} ms`);
    }
  };
}

function eventLine({ type, pid }: RunEvent): string {
  const name = type === 'start' ? 'queueStart' : 'queueEnd';
  return `${name.padStart(20)}: id of process: ${pid}\n`;
}

/** One line about what stopped crunner itself, and the exit status for it. */
async function explain(error: unknown): Promise<number> {
  if (error instanceof UsageError) {
    complain(`error: ${error.message} (usage: crunner -c CMD [flags]; see crunner --help)`);
    return EXIT.usage;
  }
  complain(messageOf(error) + (error instanceof PmanError && error.hint ? `: ${error.hint}` : ''));
  const { SshError } = await import('../ssh/ssh.ts');
  return error instanceof SshError ? SSH_EXIT[error.failure] : EXIT.cannotRun;
}

async function say(text: string): Promise<void> {
  await writeFd(1, Buffer.from(text));
}
