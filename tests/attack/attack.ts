/** Something that was tried against the built programs, over real sockets. */
export interface Attack {
  /** What is tried, as the table in docs/security.md says it. */
  readonly tried: string;
  /** Why it cannot be tried on this host; undefined when it can. */
  readonly missing?: () => string | undefined;
  /** Tries it, and gives what happens, in words that are the same each time. Throws when it hurts. */
  readonly observe: () => Promise<string>;
}

/** Something that a test elsewhere tries. */
export interface ShownElsewhere {
  readonly tried: string;
  readonly happens: string;
  /** The file of the test, and its title. */
  readonly shownBy: readonly [file: string, title: string];
}

/** Attacks on one thing. */
export interface Subject {
  readonly title: string;
  readonly attacks: readonly (Attack | ShownElsewhere)[];
}

export const isShownElsewhere = (attack: Attack | ShownElsewhere): attack is ShownElsewhere =>
  'shownBy' in attack;
