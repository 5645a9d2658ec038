import { stripVTControlCharacters } from 'node:util';
import type { Job, JobEvent } from '../client/index.ts';
import { cutEnd, cutMiddle, padEnd, padStart } from '../terminal/cutText.ts';
import { oneLine } from '../terminal/oneLine.ts';
import type { Signs } from '../terminal/signs.ts';
import type { Style } from '../terminal/style.ts';
import { fieldLine } from '../terminal/table.ts';
import { exactClock } from '../terminal/wallClock.ts';
import { widthOf } from '../terminal/width.ts';
import { afterText } from './follow.ts';
import { inStateColour, shortId, stateText } from './jobText.ts';

export const EVENT_STATES = [
  ...['waiting', 'starting', 'running', 'succeeded', 'failed', 'killed', 'lost'],
] as const;
type State = Job['state'];

const TYPE_WIDTH = 12;
const NAME_WIDTH = 16;
/** On a terminal of fewer columns the number of an event goes, then the name of its job, then parts of seconds. */
const SEQ_FROM = 72;
const NAME_FROM = 66;
const EXACT_FROM = 48;

interface LineLooks {
  readonly columns: number;
  readonly style: Style;
  readonly signs: Signs;
}

/** The lines of events on a terminal: one each, and none wider than it. */
export class EventLines {
  /** When jobs that still run have started, as far as that was among the events. */
  readonly #startedMs = new Map<string, number>();

  /** `14:02:23.310  18233  ended         9d4e10  nightly           failed 2 after 12 s` */
  line(event: JobEvent, { columns, style, signs }: LineLooks): string {
    const { seq, time, type, id, jid = '' } = event;
    const clock = exactClock(Date.parse(time)).slice(0, columns < EXACT_FROM ? 8 : undefined);
    const name = padEnd(cutMiddle(oneLine(jid), NAME_WIDTH, signs.mark), NAME_WIDTH);
    const parts = [
      style.dim(clock),
      ...(columns < SEQ_FROM ? [] : [padStart(String(seq), 5)]),
      padEnd(type.replace('_', ' '), TYPE_WIDTH),
      style.bold(shortId(id)),
      ...(columns < NAME_FROM ? [] : [name]),
    ];
    const used = parts.reduce((sum, part) => sum + widthOf(stripVTControlCharacters(part)) + 2, 0);
    const words = oneLine(eventWords(event) + this.#took(event));
    const said = cutEnd(words, Math.max(0, columns - used), signs.mark);
    return [...parts, type === 'ended' ? inStateColour(style, stateOf(event), said) : said]
      .join('  ')
      .trimEnd();
  }

  /** ` after 12 s`, of a job whose start was seen. */
  #took({ type, id, time, data = {} }: JobEvent): string {
    const at = Date.parse(time);
    if (type === 'started' && data.part === 0) this.#startedMs.set(id, at);
    if (type !== 'ended') return '';
    const started = this.#startedMs.get(id);
    this.#startedMs.delete(id);
    return started === undefined ? '' : afterText(at - started);
  }
}

/** An event as fields for programs. */
export function eventFields(event: JobEvent): string {
  const { seq, time, type, id, jid = '' } = event;
  return fieldLine([time, String(seq), type, id, jid, eventWords(event)].map(oneLine));
}

function stateOf({ data = {} }: JobEvent): State {
  return EVENT_STATES.find((state) => state === data.state) ?? 'lost';
}

/** What an event says beside its type. */
function eventWords(event: JobEvent): string {
  const { type, data = {} } = event;
  const { part, place, exitCode, signal, by, exitCodes } = data;
  switch (type) {
    case 'started':
      return `part ${part}`;
    case 'part_ended':
      return `part ${part}, exit code ${exitCode ?? 'unknown'}`;
    case 'waiting':
      return place === undefined || place === null ? '' : `place ${place}`;
    case 'kill_ordered':
      return [signal, by].filter((word) => typeof word === 'string').join(' by ');
    case 'ended': {
      const codes = Array.isArray(exitCodes) ? exitCodes.filter((code) => code !== 0) : [];
      const code = codes.find((one): one is number => typeof one === 'number') ?? null;
      const reason = (data.reason ?? null) as Job['reason'];
      return stateText({ state: stateOf(event), exitCode: code, reason, place: null });
    }
    case 'accepted':
    case 'output':
    case 'removed':
      return '';
  }
}
