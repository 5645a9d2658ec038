import { UsageError } from '../errors.ts';
import type { TlsPlaces } from '../host/tlsFiles.ts';

/** The settings of TLS; undefined stands for one that is not given. */
interface TlsFlags {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsClientCA: string | undefined;
}

/**
 * The files that the settings of TLS name; undefined when there is to be none.
 * @throws UsageError when one of them is missing
 */
export function tlsPlacesOf({ tlsCert, tlsKey, tlsClientCA }: TlsFlags): TlsPlaces | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { cert: tlsCert, key: tlsKey, clientCA: tlsClientCA };
  }
  const given = [
    ...(tlsCert === undefined ? [] : ['--tlsCert']),
    ...(tlsKey === undefined ? [] : ['--tlsKey']),
    ...(tlsClientCA === undefined ? [] : ['--tlsClientCA']),
  ];
  if (given.length === 0) return undefined;
  throw new UsageError(`${given.join(' and ')}: TLS takes both --tlsCert and --tlsKey`);
}
