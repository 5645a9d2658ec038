import { PmanError } from '../../errors.ts';
import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../wire/json.ts';
import type {
  BackendReadiness,
  JobBackend,
  JobCounts,
  JobReport,
  OutputAsked,
} from '../backend.ts';
import { fromEchoForm } from '../echoForm.ts';
import type { OutputPiece, PartOutputs } from '../outputPieces.ts';
import type { ReadShown } from './engine.ts';
import type { OutputLabel, Outputs } from './outputs.ts';
import { recordedContainer, recordedExitCode } from './recorded.ts';

/** Container jobs of which only the records are known: those that have ended, and all on a server without an engine. */
export class RecordedJobs implements JobBackend {
  readonly #readShown: ReadShown;

  constructor(readShown: ReadShown) {
    this.#readShown = readShown;
  }

  readonly capabilities = [];

  async readiness(): Promise<BackendReadiness> {
    return { state: 'absent', problem: 'this server runs no container jobs' };
  }

  async submit(): Promise<never> {
    throw new PmanError('unavailable', 'this server runs no container jobs', {
      hint: 'start pman with --container-env',
    });
  }

  async kill(): Promise<boolean> {
    return false;
  }

  async pass(): Promise<boolean> {
    return false;
  }

  async ended(): Promise<void> {}

  isActive(): boolean {
    return false;
  }

  isStarting(): boolean {
    return false;
  }

  place(): undefined {
    return undefined;
  }

  async report(_root: string, record: TreeNode): Promise<JobReport> {
    return this.reportOf(record);
  }

  /** How a job stands by its record. */
  reportOf(
    record: TreeNode,
    now: Partial<Outputs> & { readonly shown?: JsonObject; readonly note?: string } = {},
  ): JobReport {
    const { status, logs: recorded } = recordedContainer(record, this.#readShown);
    const { logs = recorded, outputs = recordedOutputs(record), note } = now;
    const shown = now.shown ?? record.cat(['container', 'state']);
    return {
      status,
      combined: logs,
      ...(outputs.length > 0 ? { outputs } : {}),
      ...(isJsonObject(shown) ? { shown } : {}),
      ...(note === undefined ? {} : { note }),
      parts: () => [
        {
          cmd: fromEchoForm(String(record.cat(['cmd']) ?? '')),
          exitCode: recordedExitCode(record, this.#readShown),
          stdout: logs,
          stderr: '',
          cause: record.cat(['container', 'cause']) || null,
        },
      ],
    };
  }

  /** Whether the record has the job's end. */
  isFinal(record: TreeNode): boolean {
    return recordedContainer(record, this.#readShown).isFinal;
  }

  /** The command of a container is one part. */
  hasPart(_root: string, _record: TreeNode, part: number): boolean {
    return part === 0;
  }

  async output(
    _root: string,
    record: TreeNode,
    asked: OutputAsked,
  ): Promise<readonly OutputPiece[]> {
    return outputOf(this.reportOf(record), asked);
  }

  leader(): undefined {
    return undefined;
  }

  outputSizes(): undefined {
    return undefined;
  }

  timedOutput(): readonly [] {
    return [];
  }

  async partOutputs(_root: string, record: TreeNode): Promise<readonly PartOutputs[]> {
    return outputPlaces(this.reportOf(record), true);
  }

  async *follow(_root: string, record: TreeNode, asked: OutputAsked): AsyncGenerator<Buffer> {
    for (const { text } of outputOf(this.reportOf(record), asked)) yield text.subarray(asked.from);
  }

  workFolder(): undefined {
    return undefined;
  }

  input(): undefined {
    return undefined;
  }

  forget(): void {}

  async endAll(): Promise<void> {}

  get counts(): JobCounts {
    return { running: 0, waiting: 0 };
  }
}

/** Whose the pieces of the recorded output are; nothing where that is not known. */
function recordedOutputs(record: TreeNode): readonly OutputLabel[] {
  const known = record.cat(['container', 'outputs']);
  if (!Array.isArray(known)) return [];
  return known.flatMap((one: JsonValue) =>
    isJsonObject(one) && typeof one.label === 'string' && typeof one.length === 'number'
      ? [{ label: one.label, length: one.length }]
      : [],
  );
}

/** What is kept of both streams, as they came, is the stdout of the one part. */
export function outputOf(
  { combined = '' }: JobReport,
  { stream, part = 0 }: OutputAsked,
): readonly { readonly text: Buffer; readonly bytes: number }[] {
  if (stream === 'stderr' || part > 0) return [];
  const text = Buffer.from(combined);
  return [{ text, bytes: text.length }];
}

/** The same for whoever reads it by lines. */
export function outputPlaces(
  { combined = '' }: JobReport,
  hasEnded: boolean,
): readonly PartOutputs[] {
  const stdout = { text: Buffer.from(combined) };
  return [{ stdout, stderr: { text: Buffer.alloc(0) }, hasEnded }];
}
