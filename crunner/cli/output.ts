import type { EndEvent, PartStdio, StreamTarget } from '../attached/runCommand.ts';
import { writeFd } from '../attached/writeFd.ts';
import type { SshTarget } from '../ssh/ssh.ts';
import { Capture, type Stretch } from './capture.ts';
import type { Flags } from './flags.ts';
import type { LongText } from './jobEntry.ts';
import type { TerminalInput } from './terminalInput.ts';

/**
 * Where the jobs' output goes, and what is printed of it, in the original's order: the job dictionary,
 * every stdout, every stderr, each with one more newline. Output is never held in memory: when stdout
 * comes first it flows straight through, else it waits in a file.
 */
export class JobOutput {
  readonly #flags: Flags;
  readonly #ssh: SshTarget | undefined;
  readonly #typed: TerminalInput | undefined;
  readonly #stdout: StreamTarget | Capture;
  readonly #stderr: StreamTarget | Capture;
  readonly #jobs: { readonly end: EndEvent; readonly out: Stretch; readonly err: Stretch }[] = [];

  /** @param typed what is typed, when stdin is a terminal */
  constructor(flags: Flags, ssh: SshTarget | undefined, typed: TerminalInput | undefined) {
    const { showStdOut, showStdErr } = flags;
    const dictionary = flags.prettyprint || flags.jsonprint;
    this.#flags = flags;
    this.#ssh = ssh;
    this.#typed = typed;
    if (dictionary || (showStdOut && flags.eventloop)) this.#stdout = new Capture();
    else this.#stdout = showStdOut ? 'inherit' : 'ignore';
    this.#stderr = dictionary || showStdErr ? new Capture() : 'ignore';
  }

  /** The streams of every job: all read what this process would. */
  stdio(): PartStdio {
    const stdin = this.#typed === undefined ? 'inherit' : this.#typed.forPart();
    return [stdin, targetOf(this.#stdout), targetOf(this.#stderr)];
  }

  /** Takes note of a job that has ended. */
  async ended(end: EndEvent): Promise<void> {
    const { prettyprint, jsonprint } = this.#flags;
    if (prettyprint || jsonprint) {
      const last = this.#jobs.at(-1);
      this.#jobs.push({
        end,
        out: { from: last?.out.to ?? 0, to: sizeOf(this.#stdout) },
        err: { from: last?.err.to ?? 0, to: sizeOf(this.#stderr) },
      });
    } else {
      await addNewline(this.#stdout);
      await addNewline(this.#stderr);
    }
  }

  /** Prints what is to be printed at the end. */
  async print(): Promise<void> {
    const { prettyprint, jsonprint, showStdOut, showStdErr } = this.#flags;
    if (prettyprint || jsonprint) await this.#printDictionary();
    if (showStdOut)
      await this.#printAll(
        this.#stdout,
        this.#jobs.map(({ out }) => out),
      );
    if (showStdErr)
      await this.#printAll(
        this.#stderr,
        this.#jobs.map(({ err }) => err),
      );
  }

  async #printAll(captured: StreamTarget | Capture, stretches: readonly Stretch[]): Promise<void> {
    if (!(captured instanceof Capture)) return;
    if (stretches.length === 0) {
      await captured.copyTo(1, { from: 0, to: captured.size() });
      return;
    }
    for (const stretch of stretches) {
      await captured.copyTo(1, stretch);
      await writeFd(1, Buffer.from('\n'));
    }
  }

  async #printDictionary(): Promise<void> {
    const { jobEntry } = await import('./jobEntry.ts');
    const { platformFacts } = await import('../../lib/host/facts.ts');
    const { jid, auid, prettyprint, jsonprint } = this.#flags;
    const context = { jid, auid, host: platformFacts(), ssh: this.#ssh };
    const entries = this.#jobs.map(({ end, out, err }) =>
      jobEntry(end, longText(this.#stdout, out), longText(this.#stderr, err), context),
    );
    if (prettyprint) await print((await import('./printPython.ts')).printPython(entries));
    if (jsonprint) await print((await import('./printJson.ts')).printJson(entries));
  }
}

/** Writes pieces to stdout, some together: a piece may be a single brace. */
async function print(pieces: AsyncIterable<string>): Promise<void> {
  let waiting = '';
  for await (const piece of pieces) {
    waiting += piece;
    if (waiting.length < 64 * 1024) continue;
    if (!(await writeFd(1, Buffer.from(waiting)))) return;
    waiting = '';
  }
  await writeFd(1, Buffer.from(waiting));
}

function targetOf(target: StreamTarget | Capture): StreamTarget {
  return target instanceof Capture ? target.fd : target;
}

function sizeOf(target: StreamTarget | Capture): number {
  return target instanceof Capture ? target.size() : 0;
}

async function addNewline(target: StreamTarget | Capture): Promise<void> {
  if (target === 'ignore') return;
  await writeFd(target instanceof Capture ? target.fd : 1, Buffer.from('\n'));
}

function longText(target: StreamTarget | Capture, stretch: Stretch): LongText {
  if (!(target instanceof Capture)) throw new TypeError('the output was not captured');
  return { pieces: () => target.text(stretch) };
}
