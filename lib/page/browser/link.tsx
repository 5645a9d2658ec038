import type { ComponentChildren, JSX } from 'preact';
import type { Place } from './pagePlace.ts';
import { useApp } from './useApp.ts';

interface LinkProps extends Omit<JSX.HTMLAttributes<HTMLAnchorElement>, 'href' | 'onClick'> {
  readonly to: Partial<Place>;
  readonly children?: ComponentChildren;
  readonly current?: boolean;
}

/** A link to another place of the page. A plain click stays in it; with a key held the browser does as ever. */
export function Link({ to, children, current = false, ...others }: LinkProps) {
  const app = useApp();
  return (
    <a
      {...others}
      href={app.address(to)}
      {...(current && { 'aria-current': 'page' as const })}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0)
          return;
        event.preventDefault();
        app.go({ line: undefined, ...to });
      }}
    >
      {children}
    </a>
  );
}
