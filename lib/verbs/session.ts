import { PmanClient, type Transport } from '../client/index.ts';
import { COLOUR_WISHES, type ColourWish, type Style } from '../terminal/style.ts';
import { type Flag, flagValue, type Words } from './flagWords.ts';
import { httpTransport } from './httpTransport.ts';
import { type Link, openLink } from './link.ts';
import { SERVER_FLAGS, type ServerPlace, serverPlace } from './serverPlace.ts';
import type { Streams } from './streams.ts';
import type { VerbCall } from './verb.ts';

/** The flags that verbs share which speak to a server; they stand at the end of the help. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'color', value: 'WHEN', among: COLOUR_WISHES, help: 'auto, always or never' },
  ...SERVER_FLAGS,
];

/** How long a server is asked again that has answered before: it may be restarted meanwhile. */
const FOLLOW_PATIENCE_MS = 24 * 3600_000;

/** A verb at work: a server, streams, and how they are written to. */
export interface Session {
  readonly place: ServerPlace;
  /** For questions and orders: a server that does not answer is an error at once. */
  readonly client: PmanClient;
  /** For what goes on for long: a server that goes away is asked again until it is back. */
  readonly patient: PmanClient;
  /** Whether that one finds the server. */
  readonly link: Link;
  readonly streams: Streams;
  readonly env: VerbCall['env'];
  /** Of stdout and of stderr. */
  readonly style: Style;
  readonly speech: Style;
}

/** @throws UsageError, CannotError for a server that is named wrong */
export function openSession({ env, streams }: VerbCall, words: Words): Session {
  const place = serverPlace(words, env);
  const wish = (flagValue(words, 'color') ?? 'auto') as ColourWish;
  const transport: Transport = httpTransport(place.ca);
  const link = openLink(streams, place.url);
  const clientWith = (patienceMs: number) =>
    new PmanClient({
      ...{ url: place.url, fetch: transport, patienceMs, onConnection: link.tell },
      ...(place.token === undefined ? {} : { token: place.token }),
    });
  return {
    ...{ place, link, streams, env },
    client: clientWith(0),
    patient: clientWith(FOLLOW_PATIENCE_MS),
    style: streams.out.style(wish),
    speech: streams.err.style(wish),
  };
}
