import { nearName } from '../wire/nearName.ts';

/** An environment variable that looks like a setting and is none. */
export interface UnknownVariable {
  readonly variable: string;
  /** The name that may have been meant. */
  readonly nearest?: string;
}

/** What Docker and Kubernetes set for a service of the surroundings that has such a name. */
const OF_SERVICES =
  /(^|_)(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?|NAME|ENV_\w+)$/;
/** Those of this program's own tests. */
const OF_TESTS = /^TEST_/;

/**
 * The variables with a program's prefix that it does not read: most of them are typing errors.
 * @param known the names that it reads
 * @param others prefixes of other programs' variables that begin alike
 */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
  known: readonly string[],
  others: readonly string[] = [],
): readonly UnknownVariable[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .filter((name) => !others.some((other) => name.startsWith(other)))
    .filter((name) => {
      const rest = name.slice(prefix.length);
      return !OF_SERVICES.test(rest) && !OF_TESTS.test(rest);
    })
    .map((variable) => {
      const nearest = nearName(variable, known);
      return { variable, ...(nearest === undefined ? {} : { nearest }) };
    });
}
