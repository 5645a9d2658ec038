import type { ComponentChildren } from 'preact';
import { terminalText } from '../../terminalText.ts';

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
      <dd>{typeof children === 'string' ? <bdi>{terminalText(children)}</bdi> : children}</dd>
    </div>
  );
}
