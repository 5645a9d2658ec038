import { PmanClient } from '../../../client/index.ts';
import { Feeds } from './feeds.ts';
import type { FromWindow } from './messages.ts';

/** What this script is run in: there is one for all windows, for as long as one of them is there. */
const scope = globalThis as unknown as {
  onconnect: (event: MessageEvent) => void;
  readonly location: Location;
};
const url = scope.location.origin;
const feeds = new Feeds(
  // The windows say when it is tried again.
  (token) => new PmanClient({ url, patienceMs: 0, ...(token !== null && { token }) }),
);

scope.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return;
  const hear = feeds.connect((message) => port.postMessage(message));
  port.onmessage = ({ data }: MessageEvent<FromWindow>) => {
    hear(data);
    if (data.kind === 'leave') port.close();
  };
};
