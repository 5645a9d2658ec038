import type { Deed } from '../access/auditLog.ts';
import type { TlsPlaces } from '../host/tlsFiles.ts';
import type { LogLevel } from '../log.ts';

/** What pman asks the process of the endpoints for. */
export interface EndpointRequest {
  readonly id: number;
  readonly ip: string;
  readonly tokenPath: string | undefined;
  readonly forever: boolean;
  readonly store: string;
  /** As of pman itself: the endpoint speaks TLS where pman does, and serves the same web pages and names. */
  readonly front: EndpointFront;
}

/** How clients reach an endpoint. */
export interface EndpointFront {
  readonly tls: TlsPlaces | undefined;
  readonly allowOrigins: readonly string[];
  readonly allowHosts: readonly string[];
}

/**
 * What comes back: the answer to a request, later that what it has opened has ended, a line for the log, or what somebody
 * did (or, not let in, wanted to do), for the audit log.
 */
export type FromEndpoints =
  | { readonly kind: 'ended'; readonly id: number }
  | { readonly kind: 'opened'; readonly id: number; readonly ip: string; readonly port: number }
  | { readonly kind: 'failed'; readonly id: number; readonly why: string }
  | { readonly kind: 'deed' | 'refusal'; readonly deed: Deed }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    };
