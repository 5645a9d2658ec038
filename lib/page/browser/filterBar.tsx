import { Link } from './link.tsx';
import { GROUPS } from './shown.ts';
import { groupCounts } from './stateCounts.ts';
import { useApp, useChanges } from './useApp.ts';

/** How many jobs there are in each state; each is a filter. */
export function FilterBar() {
  const app = useApp();
  useChanges(app);
  const { filter, view } = app.place;
  const counts = groupCounts(app.rows.counts);
  return (
    <nav class="filters" aria-label="Filters">
      {GROUPS.map(({ name, glyph }, i) => {
        const isOn = filter.states.includes(name);
        const states = isOn
          ? filter.states.filter((one) => one !== name)
          : [...filter.states, name];
        return (
          <Link
            key={name}
            to={{ view: view === 'job' ? 'job' : 'jobs', filter: { ...filter, states } }}
            class={`filter ${name}`}
            data-on={isOn}
            title={`${isOn ? 'Show all again' : `Show ${name} jobs`} (${i + 1})`}
          >
            <span class="glyph" aria-hidden="true">
              {glyph}
            </span>{' '}
            {app.rows.isFirst ? '–' : counts[i]} {name}
            {isOn && <span class="sr"> (on)</span>}
          </Link>
        );
      })}
    </nav>
  );
}
