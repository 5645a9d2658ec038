import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Job, PmanClient } from '../../../client/index.ts';
import type { LineRange } from '../pagePlace.ts';
import { bytesText } from './bytesText.ts';
import { LogControl } from './logControl.ts';
import { listenToLogKeys } from './logKeys.ts';
import { OUTPUTS, type WhichOutput } from './openOutput.ts';

export interface LogViewProps {
  readonly client: PmanClient;
  readonly job: Job;
  /** The lines that the address names. */
  readonly line: LineRange | undefined;
  /** Why what needs the server is off; undefined: it is on. */
  readonly off?: string | undefined;
  readonly onLineChange: (range: LineRange | undefined) => void;
  readonly onCopy: (text: string, what: string) => void;
}

/** What a job has written and writes: both outputs by lines, of any length, with search and links to lines. */
export function LogView(props: LogViewProps) {
  const { client, job, line, off } = props;
  const view = useRef<HTMLElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const control = useRef<LogControl>();
  const now = useRef(props);
  now.current = props;
  const [, redraw] = useReducer((n: number) => n + 1, 0);

  // A job that has changed is the same log.
  useLayoutEffect(() => {
    if (scroller.current === null || marks.current === null) return;
    const made = new LogControl({
      ...{ client, line, scroller: scroller.current, marks: marks.current },
      job: () => now.current.job,
      off: () => now.current.off,
      onChange: () => redraw(undefined),
      onLine: (range) => now.current.onLineChange(range),
      onCopy: (text, what) => now.current.onCopy(text, what),
    });
    control.current = made;
    return () => {
      control.current = undefined;
      made.close();
    };
  }, [client, job.id]);
  useLayoutEffect(() => control.current?.mark(line), [line?.from, line?.to]);
  useLayoutEffect(() => {
    if (off === undefined) control.current?.online();
  }, [off]);
  // It had not begun when the log was opened.
  useLayoutEffect(() => control.current?.changed(), [job.startedAt]);
  useLayoutEffect(() => control.current?.model.hasten(), [job.state]);
  useLayoutEffect(
    () =>
      listenToLogKeys({
        control: () => control.current,
        view: () => view.current,
        find: () => input.current,
      }),
    [],
  );

  const log = control.current;
  return (
    <section class="logView" aria-label="Output" ref={view}>
      <LogTools log={log} input={input} off={off} />
      {log?.model.error && (
        <p class="log-note" role="status">
          {log.model.error.message}{' '}
          <button type="button" onClick={() => log.model.again()}>
            Try again
          </button>
        </p>
      )}
      <div class="log-window">
        <div
          class="log-scroller"
          role="log"
          aria-live="off"
          aria-label="Lines"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
          tabIndex={0}
          ref={scroller}
        />
        <div class="log-marks" aria-hidden="true" ref={marks} />
        {log !== undefined && !log.isFollowing && log.newLines > 0 && (
          <button type="button" class="log-new" onClick={() => log.follow()}>
            ↓ {log.newLines} new {log.newLines === 1 ? 'line' : 'lines'}
          </button>
        )}
        {log?.model.answers !== 0 && log?.model.total === 0 && (
          <p class="log-empty">{log.model.hasEnded ? 'It has written nothing.' : 'Nothing yet.'}</p>
        )}
      </div>
      {log?.whole !== undefined && (
        <section class="log-whole" aria-label={`Line ${log.whole.line}`}>
          <button type="button" onClick={() => log.hideWhole()}>
            Close line {log.whole.line}
          </button>
          {log.whole.missing !== undefined && <p class="log-note">{log.whole.missing}</p>}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
          <pre tabIndex={0}>{log.whole.text}</pre>
        </section>
      )}
    </section>
  );
}

interface LogToolsProps {
  readonly log: LogControl | undefined;
  readonly input: { current: HTMLInputElement | null };
  readonly off: string | undefined;
}

function LogTools({ log, input, off }: LogToolsProps) {
  const [which, setWhich] = useState<WhichOutput>('both');
  const needsServer = { disabled: off !== undefined, title: off };
  // What has been found is there without it.
  const findOff = log !== undefined && log.finder.hits.lines.length > 0 ? {} : needsServer;
  const find = (step: 1 | -1 = 1) => void log?.find(input.current?.value ?? '', step);
  return (
    <div class="log-tools">
      <search class="log-search">
        <input
          ref={input}
          type="search"
          aria-label="Find in the log"
          placeholder="/ find in log"
          title="A text, or an expression as /a+b/i. Ctrl-F finds only what is in view."
          onKeyDown={(event) => {
            if (event.key === 'Enter') {
              event.preventDefault();
              find(event.shiftKey ? -1 : 1);
            }
            if (event.key !== 'Escape') return;
            // What was found stays.
            event.preventDefault();
            event.stopPropagation();
            log?.focus();
          }}
          onSearch={(event) => {
            if (event.currentTarget.value === '') find();
          }}
        />
        <span class="log-count" role="status">
          {countText(log)}
        </span>
        <button type="button" aria-label="Previous hit" {...findOff} onClick={() => find(-1)}>
          ↑
        </button>
        <button type="button" aria-label="Next hit" {...findOff} onClick={() => find()}>
          ↓
        </button>
      </search>
      <label>
        <input
          type="checkbox"
          checked={log?.hidesStderr !== true}
          {...(log?.hidesStderr !== true && needsServer)}
          onChange={(event) => void log?.showStderr(event.currentTarget.checked)}
        />{' '}
        stderr
      </label>
      <label title="t: the time of day, then the time since the start">
        <input
          type="checkbox"
          checked={log !== undefined && log.times !== 'off'}
          onChange={() => log?.nextTimes()}
        />{' '}
        {log?.times === 'since' ? 'since start' : 'times'}
      </label>
      <label>
        <input type="checkbox" checked={log?.isWrapped === true} onChange={() => log?.wrap()} />{' '}
        wrap
      </label>
      <button
        type="button"
        aria-pressed={log?.isFollowing !== false}
        onClick={() => (log?.isFollowing === true ? log.pane.pause() : log?.follow())}
      >
        Follow <span class="log-tick">✓</span>
      </button>
      <span class="log-size">{sizeText(log)}</span>
      <span class="log-file">
        <select
          aria-label="Output to open or save"
          value={which}
          onChange={({ currentTarget: { value } }) =>
            setWhich(OUTPUTS.find((one) => one === value) ?? 'both')
          }
        >
          {OUTPUTS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>{' '}
        <button type="button" {...needsServer} onClick={() => void log?.open('raw', which)}>
          Raw
        </button>{' '}
        <button type="button" {...needsServer} onClick={() => void log?.open('save', which)}>
          Download
        </button>
      </span>
    </div>
  );
}

function countText(log: LogControl | undefined): string {
  if (log === undefined) return '';
  const { finder, problem } = log;
  if (finder.isSearching) return '…';
  if (problem !== '') return problem;
  const { lines, place, isWhole } = finder.hits;
  if (finder.typed === '') return '';
  if (lines.length === 0) return log.hidesStderr ? 'nothing found in stdout' : 'nothing found';
  return `${place}/${lines.length}${isWhole ? '' : '+'}`;
}

function sizeText(log: LogControl | undefined): string {
  if (log === undefined || log.model.answers === 0) return '';
  const { bytes, isWhole, total } = log.model;
  const lines = `${total.toLocaleString('en')} ${total === 1 ? 'line' : 'lines'}`;
  return `${lines}, ${bytesText(bytes)}${isWhole ? '' : ' and more'}`;
}
