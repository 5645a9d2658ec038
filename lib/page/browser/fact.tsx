import type { ComponentChildren } from 'preact';

interface FactProps {
  readonly name: string;
  readonly children: ComponentChildren;
}

/** A name and what it is, in a list of such; nothing where there is nothing to tell. */
export function Fact({ name, children }: FactProps) {
  if (children === null || children === undefined || children === false || children === '')
    return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
