import type { Session } from './session.ts';

/** Says what one may type next: for people on a terminal alone, and dim. */
export function tellNext({ streams, speech }: Session, commands: readonly string[]): void {
  const { err, out, signs } = streams;
  if (!err.isTerminal || !out.isTerminal || commands.length === 0) return;
  err.line(speech.dim(commands.join(` ${signs.dot} `)));
}

/** What one may do with jobs that have just been sent. */
export function nextOfSent(ids: readonly string[]): readonly string[] {
  const [id, ...others] = ids;
  if (id === undefined) return [];
  return others.length === 0 ? [`pman logs -f ${id}`, `pman kill ${id}`] : ['pman ls active'];
}

/** What one may do with jobs that have been killed. */
export function nextOfKilled(ids: readonly string[]): readonly string[] {
  const [id, ...others] = ids;
  if (id === undefined) return [];
  return others.length === 0 ? [`pman logs ${id}`, `pman rerun ${id}`] : ['pman ls killed'];
}
