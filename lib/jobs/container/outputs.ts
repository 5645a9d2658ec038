import type { Engine, Worker } from './engine.ts';

/** What the workers of a job have written. */
export interface Outputs {
  /** One after the other. */
  readonly logs: string;
  /** Whose each piece is, in their order, where the engine has names for them. */
  readonly outputs: readonly OutputLabel[];
}

export interface OutputLabel {
  readonly label: string;
  /** How many characters of the logs are its. */
  readonly length: number;
}

/** @param limitBytes the most of each worker */
export async function readOutputs(
  engine: Engine,
  workers: readonly Worker[],
  limitBytes: number,
): Promise<Outputs> {
  if (!workers.some(({ label }) => label !== undefined)) {
    return { logs: await engine.logs(workers, limitBytes), outputs: [] };
  }
  const texts = await Promise.all(workers.map((worker) => engine.logs([worker], limitBytes)));
  return {
    logs: texts.join(''),
    outputs: workers.map(({ id, label = id }, i) => ({ label, length: texts[i]?.length ?? 0 })),
  };
}
