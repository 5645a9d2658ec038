import { groupOf, stateWords, type Told } from './shown.ts';

/** A state as it is always shown: a glyph, the word, and a colour. */
export function StateMark({ job }: { readonly job: Told }) {
  const group = groupOf(job.state);
  return (
    <span class={`state ${group.name}`}>
      <span class="glyph" aria-hidden="true">
        {group.glyph}
      </span>{' '}
      {stateWords(job)}
    </span>
  );
}
