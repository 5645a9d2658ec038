import type { TlsPlaces } from '../host/tlsFiles.ts';
import type { LogLevel } from '../log.ts';

/** What pman asks the process of the endpoints for. */
export interface EndpointRequest {
  readonly id: number;
  readonly ip: string;
  readonly tokenPath: string | undefined;
  /** Its own files of TLS, when pman speaks it. */
  readonly tls: TlsPlaces | undefined;
  readonly forever: boolean;
  readonly store: string;
}

/** What comes back: the answer to a request, or a line for the log. */
export type FromEndpoints =
  | { readonly kind: 'opened'; readonly id: number; readonly ip: string; readonly port: number }
  | { readonly kind: 'failed'; readonly id: number; readonly why: string }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    };
