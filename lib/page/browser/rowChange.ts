import type { JobEvent } from '../../client/index.ts';
import type { Row } from './rowList.ts';
import type { State } from './shown.ts';

/**
 * What an event changes in the row of its job; undefined: nothing.
 * @param state how the job stood before; undefined: that is not known
 */
export function changeOf(
  { type, time, data = {} }: JobEvent,
  state: State | undefined,
): Partial<Row> | undefined {
  switch (type) {
    case 'waiting':
      return { place: numberIn(data.place) };
    case 'started': {
      const isFirst = data.part === 0;
      if (!isFirst && state !== 'waiting' && state !== 'starting') return undefined;
      return { state: 'running', place: null, ...(isFirst && { startedAt: time }) };
    }
    case 'ended':
      return {
        ...{ state: data.state as State, exitCode: worstOf(data.exitCodes) },
        ...{ place: null, endedAt: time, reason: (data.reason ?? null) as Row['reason'] },
      };
    case 'accepted':
    case 'part_ended':
    case 'output':
    case 'kill_ordered':
    case 'removed':
      return undefined;
  }
}

/** The exit code that tells how a job ended: the first that is not 0. */
function worstOf(codes: unknown): number | null {
  if (!Array.isArray(codes) || codes.length === 0) return null;
  const bad = codes.find((code) => code !== 0);
  return bad === undefined ? 0 : numberIn(bad);
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
