import type { Job } from '../../client/index.ts';
import { terminalText } from '../../terminalText.ts';
import { ScrollRegion } from './scrollRegion.tsx';
import { clock, span } from './shown.ts';
import { TableHead } from './tableHead.tsx';

/** The parts of a job, one behind the other: when each ran, how long, and how it ended. */
export function PartsView({ job, now }: { readonly job: Job; readonly now: number }) {
  const { parts } = job;
  const begin = Date.parse(job.startedAt ?? job.acceptedAt);
  const end = job.endedAt === null ? now : Date.parse(job.endedAt);
  const whole = Math.max(1, end - begin);
  if (parts.length === 0) return <p class="quiet">None of its parts has begun.</p>;
  return (
    <ScrollRegion name="Parts">
      <table class="parts">
        <TableHead names={['Part', 'State', 'Began', 'Time', 'Timeline', 'Command']} />
        <tbody>
          {parts.map((part, i) => {
            const { startedAt, endedAt, command } = part;
            const from = startedAt === null ? undefined : Date.parse(startedAt);
            const to = endedAt === null ? (job.endedAt === null ? now : end) : Date.parse(endedAt);
            const { glyph, word, kind } = outcome(part, job.endedAt !== null);
            return (
              <tr key={i}>
                <td>{i}</td>
                <td>
                  <span class={`state ${kind}`}>
                    <span class="glyph" aria-hidden="true">
                      {glyph}
                    </span>{' '}
                    {word}
                  </span>
                  {part.cause !== null && <div class="quiet">{terminalText(part.cause)}</div>}
                </td>
                <td>{startedAt === null ? '' : clock(startedAt, true)}</td>
                <td>{from === undefined ? '' : tookPart(to - from)}</td>
                <td class="bar">
                  {from !== undefined && (
                    <svg
                      viewBox="0 0 100 10"
                      preserveAspectRatio="none"
                      role="img"
                      aria-label={`from ${span(from - begin)} to ${span(to - begin)}`}
                    >
                      <rect
                        class={kind}
                        x={((from - begin) / whole) * 100}
                        width={Math.max(0.6, ((to - from) / whole) * 100)}
                        y="1"
                        height="8"
                      />
                    </svg>
                  )}
                </td>
                <td class="mono">{terminalText(command)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function tookPart(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)}s` : span(ms);
}

function outcome({ exitCode, startedAt, endedAt }: Job['parts'][number], isOver: boolean) {
  if (startedAt === null)
    return { glyph: '○', word: isOver ? 'never begun' : 'waiting', kind: 'waiting' };
  if (endedAt === null && exitCode === null) {
    return isOver
      ? { glyph: '?', word: 'not known', kind: 'lost' }
      : { glyph: '●', word: 'running', kind: 'running' };
  }
  if (exitCode === 0) return { glyph: '✓', word: 'ok', kind: 'ok' };
  if (exitCode === null) return { glyph: '?', word: 'not known', kind: 'lost' };
  const word = exitCode < 0 ? `signal ${-exitCode}` : `failed ${exitCode}`;
  return { glyph: '✗', word, kind: 'failed' };
}
