import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { nameOf } from '../../client/jobName.ts';
import { terminalText } from '../../terminalText.ts';
import { drawnRows, ROW } from './drawnRows.ts';
import { Glyph, StateWords } from './glyph.tsx';
import { Link } from './link.tsx';
import { isCalled, linkId } from './pagePlace.ts';
import type { Row } from './rowList.ts';
import { clock, isOver, middleCut, shortId, span, tookWords } from './shown.ts';
import { useApp, useChanges, useNow, useRedrawWhenSeen } from './useApp.ts';
import { useHold } from './useHold.ts';

/**
 * Rows that are drawn above and below what is seen; none where all that is seen is new, as at first and after a jump, so that
 * it is there sooner: the others come behind the picture.
 */
const SPARE = 12;
/** By so many rows more is drawn then than has to be: most scrolls draw nothing anew. */
const STEP = 8;

/** Rows to be drawn, and how the scroll bar stands to them. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly offset: number;
}

/**
 * The jobs, as a table of which only what is seen is in the page. Rows have one height, so that a list of any length needs
 * no measuring.
 */
export function JobTable() {
  const app = useApp();
  useChanges(app);
  const { rows, start, length } = app.rows;
  const frame = useRef<HTMLDivElement>(null);
  /** The first row that is seen, and its place in the list. */
  const top = useRef<{ readonly id: string; readonly place: number }>();
  const { hold, point } = useHold(frame);
  const { scroll } = app;
  const spare = useRef(0);
  // How high the list is, is not known before it has been laid out. At first as many rows are drawn as the window could
  // have, so that nothing is drawn twice.
  const [{ first, last }, setSpan] = useState<Span>(() => ({
    ...{ first: 0, last: Math.ceil(window.innerHeight / ROW), offset: 0 },
  }));
  /** The rows that are drawn, as far as they are loaded. */
  const span = useRef({ first, last });
  span.current = { first, last };
  const look = () => {
    // A list that is not shown is where it was.
    if (frame.current === null || scroll.isHidden) return;
    const place = Math.floor(scroll.top / ROW);
    const end = place + Math.ceil(scroll.view / ROW);
    const isNew = span.current.last <= place || span.current.first >= end;
    if (isNew) spare.current = 0;
    const from = Math.max(0, place - spare.current);
    const to = end + spare.current;
    const step = spare.current === 0 ? 0 : STEP;
    const { offset } = scroll.bar;
    const mayStay = (old: Span) =>
      old.first <= from &&
      old.last >= to &&
      old.last - old.first <= to - from + 2 * STEP &&
      old.offset === offset;
    setSpan((old) =>
      mayStay(old) ? old : { first: Math.max(0, from - step), last: to + step, offset },
    );
    hold();
    const { rows: loaded, start: begin } = app.rows;
    const id = loaded[place - begin]?.id;
    top.current = id === undefined || scroll.top === 0 ? undefined : { id, place };
    app.rows.see({ from, to }).catch((error) => app.live.noticed(error));
  };
  scroll.resize(length);
  useLayoutEffect(
    () => (frame.current === null ? undefined : scroll.attach(frame.current, look)),
    [],
  );
  const { isLoading, error, shown: fits } = app.rows;
  // Where rows stand in the list is known better once others have come: they stay under the eyes of whoever looks at them.
  useLayoutEffect(() => {
    const now = top.current && app.rows.placeOf(top.current.id);
    if (top.current === undefined || now === undefined) return;
    const moved = now - top.current.place;
    if (moved !== 0) scroll.go(scroll.top + moved * ROW);
  }, [rows, start]);
  // What has failed is not asked for over and over; who scrolls asks again.
  useLayoutEffect(() => {
    if (error === undefined) look();
  }, [rows, start, isLoading, error]);
  // Other rows begin at the top.
  useLayoutEffect(() => scroll.go(0), [fits]);
  const drawn = drawnRows({ first, last }, { start, count: rows.length }, scroll.bar);
  const shown = rows.slice(drawn.from - start, drawn.to - start);
  const isUsable = shown.length > 0 || (rows.length === 0 && !app.rows.isFirst);
  // What the benchmark asks for.
  useLayoutEffect(() => {
    if (isUsable) performance.mark('pman usable');
  }, [isUsable]);
  // Behind the picture of what is seen.
  useEffect(() => {
    if (!isUsable || spare.current > 0) return;
    spare.current = SPARE;
    look();
  }, [isUsable, first, last]);
  const now = useNow(
    shown.some(({ state }) => !isOver(state)),
    app.clock.now,
  );
  useRedrawWhenSeen();
  const minute = Math.floor(app.clock.now() / 60_000);
  const { sort } = app.place.filter;
  const openId = app.place.view === 'job' ? app.place.id : undefined;
  return (
    <section
      class="list"
      ref={frame}
      tabIndex={-1}
      aria-label="Jobs"
      onPointerMove={point}
      onPointerLeave={() => point.over()}
      onFocusIn={hold}
      onFocusOut={() => queueMicrotask(hold)}
    >
      <table aria-rowcount={length + 1}>
        <thead>
          <tr>
            <th scope="col" class="pick">
              <span class="sr">Selected</span>
            </th>
            <td class="sign" aria-hidden="true" />
            <Column kind="id" name="ID" />
            <Column kind="name" name="Name" />
            <Column kind="is" name="State" />
            <th
              scope="col"
              class="started"
              aria-sort={sort === 'newest' ? 'descending' : 'ascending'}
            >
              <button
                type="button"
                class="plain"
                onClick={() => {
                  const other = sort === 'newest' ? 'oldest' : 'newest';
                  app.go({ filter: { ...app.place.filter, sort: other } });
                }}
              >
                Started <span aria-hidden="true">{sort === 'newest' ? '↓' : '↑'}</span>
              </button>
            </th>
            <Column kind="time" name="Time" />
            <Column kind="command" name="Command" />
          </tr>
        </thead>
        <tbody>
          <Gap height={drawn.above} />
          {shown.map((row, i) => (
            <JobRow
              key={row.id}
              row={row}
              at={drawn.from + i}
              now={isOver(row.state) ? 0 : now}
              minute={minute}
              isOpen={isCalled(row.id, openId)}
              isPicked={app.selected.has(row.id)}
            />
          ))}
          <Gap height={drawn.below} />
        </tbody>
      </table>
    </section>
  );
}

function Column({ kind, name }: { readonly kind: string; readonly name: string }) {
  return (
    <th scope="col" class={kind}>
      {name}
    </th>
  );
}

/** The height of rows that are not in the page. */
function Gap({ height }: { readonly height: number }) {
  if (height <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus
    <tr class="gap" aria-hidden="true" style={{ height: `${height}px` }}>
      {/* No colSpan: columns that are hidden on a narrow window would be there again, without a name, and take room. */}
      <td />
    </tr>
  );
}

interface JobRowProps {
  readonly row: Row;
  readonly at: number;
  /** As it moves on for a job that goes on; 0 for the others. */
  readonly now: number;
  /** Ages are told anew once a minute at most. */
  readonly minute: number;
  readonly isOpen: boolean;
  readonly isPicked: boolean;
}

function JobRow({ row, at, now, minute, isOpen, isPicked }: JobRowProps) {
  const app = useApp();
  const { id, jid, command, startedAt, acceptedAt, isGone } = row;
  const since = startedAt ?? acceptedAt;
  const name = terminalText(nameOf(row));
  const { filter } = app.place;
  // A row that is the same is not even compared: scrolling draws new rows alone.
  return useMemo(
    () => (
      <tr
        class={isOpen ? 'open' : isGone ? 'gone' : undefined}
        aria-rowindex={at + 2}
        data-id={id}
        onClick={(event) => {
          const { target } = event;
          if (target instanceof Element && target.closest('a, input, label') !== null) return;
          if (getSelection()?.isCollapsed === false) return; // somebody marks text to copy it
          app.openJob(row);
        }}
      >
        <td class="pick">
          <label>
            <input
              type="checkbox"
              checked={isPicked}
              aria-label={`Select ${shortId(id)}`}
              onChange={() => app.toggle(row)}
            />
          </label>
        </td>
        <td class="sign" aria-hidden="true">
          {!isGone && <Glyph state={row.state} />}
        </td>
        <td class="id">
          <Link to={{ view: 'job', id: linkId(id) }} current={isOpen} class="job">
            {shortId(id)}
          </Link>
        </td>
        <td class={jid === null || jid === '' ? 'name quiet' : 'name'} title={name}>
          <Name name={name} />
        </td>
        <td class="is">
          {isGone ? <span class="state gone">removed</span> : <StateWords job={row} />}
        </td>
        <td class="started" title={new Date(since).toString()}>
          {clock(since)}{' '}
          <span class="age">{span((now || app.clock.now()) - Date.parse(since))}</span>
        </td>
        <td class="time">{tookWords(row, now)}</td>
        <td
          class="command"
          title={command.length > 40 ? terminalText(command.slice(0, 2000)) : undefined}
        >
          {terminalText(command.slice(0, 400))}
        </td>
      </tr>
    ),
    [app, row, at, now, minute, isOpen, isPicked, filter],
  );
}

/** So many letters of the end of a name are always there: they tell runs apart. */
const NAME_END = 7;
/** More of a name fits no column. */
const NAME_MOST = 120;

/** A name that is cut in its middle where the column has no room for all of it. */
function Name({ name }: { readonly name: string }) {
  const letters = [...middleCut(name, NAME_MOST)];
  if (letters.length <= NAME_END + 3) return <bdi>{name}</bdi>;
  return (
    <span class="cut" dir="auto">
      <span>{letters.slice(0, -NAME_END).join('')}</span>
      <span>{letters.slice(-NAME_END).join('')}</span>
    </span>
  );
}
