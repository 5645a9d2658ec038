import { clock } from '../shown.ts';

/** Which time stands before a line. */
export type TimeForm = 'off' | 'clock' | 'since';
const TIME_FORMS: readonly TimeForm[] = ['off', 'clock', 'since'];

/** The next one; behind the last one the first. */
export function formAfter(form: TimeForm): TimeForm {
  return TIME_FORMS[(TIME_FORMS.indexOf(form) + 1) % TIME_FORMS.length] ?? 'off';
}

/**
 * When a line came: by the clock of its reader, or since the start of the job.
 * @param time RFC 3339; undefined where it is not known
 */
export function timeText(
  form: TimeForm,
  time: string | undefined,
  startedAt: string | null,
): string {
  if (form === 'off') return '';
  if (time === undefined) return '–';
  if (form === 'clock') return clock(time, true);
  const seconds =
    startedAt === null ? 0 : Math.max(0, (Date.parse(time) - Date.parse(startedAt)) / 1000);
  return `+${sinceText(seconds)}`;
}

function sinceText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`;
}
