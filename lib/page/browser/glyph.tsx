import { groupOf, type State, stateWords, type Told } from './shown.ts';

/** The sign of a state, in its colour; the word beside it says the same to those who do not see it. */
export function Glyph({ state }: { readonly state: State }) {
  const { name, glyph } = groupOf(state);
  return (
    <span class={`state ${name}`} aria-hidden="true">
      <span class="glyph">{glyph}</span>
    </span>
  );
}

/** The word of a state, in its colour. */
export function StateWords({ job }: { readonly job: Told }) {
  return <span class={`state ${groupOf(job.state).name}`}>{stateWords(job)}</span>;
}

/** A state as it is shown where it stands alone: a glyph, the word, and a colour. */
export function StateMark({ job }: { readonly job: Told }) {
  return (
    <span class="state">
      <Glyph state={job.state} /> <StateWords job={job} />
    </span>
  );
}
