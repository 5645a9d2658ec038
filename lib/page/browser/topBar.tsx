import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Link } from './link.tsx';
import { SEARCH_WORDS } from './searchWords.ts';
import { dayAndClock, span } from './shown.ts';
import { nextTheme, type Theme, themeNow } from './theme.ts';
import { useApp, useChanges, useRedrawWhenSeen } from './useApp.ts';

const CONTACT = {
  connecting: { glyph: '○', word: 'connecting' },
  live: { glyph: '●', word: 'live' },
  away: { glyph: '✗', word: 'not connected' },
  token: { glyph: '?', word: 'token wanted' },
  refused: { glyph: '✗', word: 'refused' },
} as const;

/** The head of the page: where it is, how it stands, and what finds jobs. */
export function TopBar({ onHelp }: { readonly onHelp: () => void }) {
  const app = useApp();
  useChanges(app);
  const { kind } = app.live.contact;
  const { glyph, word } = CONTACT[kind];
  const { view } = app.place;
  const { serverStartedAt } = app.rows;
  useRedrawWhenSeen();
  return (
    <header class="top">
      <h1>
        <Link to={{ view: 'jobs', id: undefined }}>pman</Link>
      </h1>
      <span class="host">{location.host}</span>
      {serverStartedAt !== undefined && (
        <span class="host up" title={`since ${dayAndClock(serverStartedAt)}`}>
          up {span(app.clock.now() - Date.parse(serverStartedAt))}
        </span>
      )}
      <span class={`contact ${kind}`} role="status">
        <span aria-hidden="true">{glyph}</span> {word}
      </span>
      <nav aria-label="Views">
        <Link to={{ view: 'jobs', id: undefined }} current={view === 'jobs' || view === 'job'}>
          Jobs
        </Link>
        <Link to={{ view: 'new' }} current={view === 'new'}>
          New job
        </Link>
        <Link to={{ view: 'server' }} current={view === 'server'}>
          Server
        </Link>
      </nav>
      <SearchField />
      <button type="button" class="icon" onClick={onHelp} aria-label="Keys">
        ?
      </button>
      <ThemeButton />
    </header>
  );
}

/** How long after the last key a search is asked for, in milliseconds. */
const TYPED_MS = 150;

function SearchField() {
  const app = useApp();
  const { q } = app.place.filter;
  const [typed, setTyped] = useState(q);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const asked = useRef(q);
  // Back and forward change what is searched for. What was asked for from here is known, and more may be typed by now.
  useLayoutEffect(() => {
    if (q !== asked.current) setTyped(q);
    asked.current = q;
  }, [q]);
  const find = (text: string, how: 'push' | 'replace') => {
    clearTimeout(timer.current);
    asked.current = text;
    const { view, filter } = app.place;
    app.go({ filter: { ...filter, q: text }, view: view === 'job' ? 'job' : 'jobs' }, how);
  };
  const hint = Object.entries(SEARCH_WORDS).map(([word, what]) => `${word} ${what}`);
  return (
    <search>
      <input
        type="search"
        id="search"
        aria-label="Search jobs"
        placeholder="/ search jobs"
        title={`A name, an id, or a part of the command.\n${hint.join('\n')}`}
        maxLength={1000}
        value={typed}
        onInput={({ currentTarget: { value } }) => {
          setTyped(value);
          clearTimeout(timer.current);
          // The way back leads to what was shown before the first letter.
          const how = q === '' ? 'push' : 'replace';
          timer.current = setTimeout(() => find(value, how), TYPED_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') find(event.currentTarget.value, 'push');
          if (event.key !== 'Escape') return;
          if (typed === '') event.currentTarget.blur();
          setTyped('');
          find('', 'replace');
        }}
      />
    </search>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(themeNow);
  return (
    <button
      type="button"
      class="icon"
      onClick={() => setTheme(nextTheme())}
      aria-label={`Colours: ${theme}`}
      title={`Colours: ${theme}`}
    >
      ◐
    </button>
  );
}
