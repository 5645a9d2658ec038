import type { ComponentChildren } from 'preact';

/** What may be wider than the window: it scrolls by itself, and can be reached by keys for that. */
export function ScrollRegion({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <section class="scroll" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
