import {
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { answerHead } from '../lib/answerHead.ts';
import { PmanError, systemErrorCode } from '../lib/errors.ts';
import type { JsonObject } from '../lib/wire/json.ts';
import { ApiError, apiError, isStatus, noAnswer } from './apiError.ts';
import type { Credentials } from './credentials.ts';

/** How long the answer to a question may take, in milliseconds. */
const ANSWER_MS = 8000;
/** How long a change may take: admission may ask others. */
const CHANGE_MS = 30_000;

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's address, encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
}

/** Asks the API server of a cluster, in one namespace. Connections are kept and used again. */
export class KubeClient {
  readonly credentials: Credentials;
  readonly namespace: string;
  /** How many requests have been sent, by method and kind: for tests and measurements. */
  readonly counts = new Map<string, number>();

  constructor(credentials: Credentials, namespace: string) {
    this.credentials = credentials;
    this.namespace = namespace;
  }

  /** The path of a collection, or of one of its objects: `jobs`, `pods` and the like. */
  path(kind: 'jobs' | 'pods' | 'events' | 'persistentvolumeclaims', name?: string, sub?: string) {
    const group = kind === 'jobs' ? 'apis/batch/v1' : 'api/v1';
    const parts = [group, 'namespaces', encodeURIComponent(this.namespace), kind];
    if (name !== undefined) parts.push(encodeURIComponent(name));
    if (sub !== undefined) parts.push(sub);
    return `/${parts.join('/')}`;
  }

  /**
   * Makes one call and gives what was answered.
   * @param doing what is done, to what, for messages: 'create job "x"'
   * @throws PmanError (see apiError); unavailable when there is no answer in time
   */
  async ask(doing: string, call: Call): Promise<unknown> {
    const late = AbortSignal.timeout(call.method === undefined ? ANSWER_MS : CHANGE_MS);
    try {
      const answer = await this.open(doing, call, late);
      return JSON.parse(await text(answer));
    } catch (error) {
      throw error instanceof PmanError ? error : noAnswer(doing, this.credentials.server, error);
    }
  }

  /** As `ask`; undefined when what is asked about is not there. */
  async askIfThere(doing: string, call: Call): Promise<unknown> {
    try {
      return await this.ask(doing, call);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /**
   * Begins a call and gives the answer as a stream, once it is known to be a good one.
   * @param signal ends it
   */
  async open(doing: string, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#openOnce(doing, call, signal);
    } catch (error) {
      // A token may have been renewed in the file.
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.credentials.reload();
      return this.#openOnce(doing, call, signal);
    }
  }

  async #openOnce(doing: string, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    for (let tries = 0; ; tries += 1) {
      let sent: ClientRequest | undefined;
      try {
        const options = await this.credentials.options();
        const body = call.body === undefined ? undefined : JSON.stringify(call.body);
        sent = this.#request(call, body, { ...options, signal });
        const head = answerHead(sent);
        sent.end(body);
        const answer = await head;
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) return answer;
        throw apiError(doing, status, await text(answer));
      } catch (error) {
        if (error instanceof PmanError) throw error;
        // The server had closed a kept connection. What is sent again is found when it came through after all.
        const wasKept = sent?.reusedSocket === true && systemErrorCode(error) === 'ECONNRESET';
        if (wasKept && tries < 2 && !signal.aborted) continue;
        throw noAnswer(doing, this.credentials.server, error);
      }
    }
  }

  #request(
    { method = 'GET', path, query = {} }: Call,
    body: string | undefined,
    options: RequestOptions,
  ): ClientRequest {
    const kind = path.split('/').slice(path.startsWith('/apis') ? 6 : 5)[0] ?? path;
    const counted = `${query.watch ? 'WATCH' : method} ${kind}`;
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + 1);
    const url = new URL(this.credentials.server + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const send = url.protocol === 'http:' ? plainRequest : tlsRequest;
    return send(url, {
      ...options,
      method,
      headers: {
        ...options.headers,
        Accept: 'application/json',
        'User-Agent': 'pman',
        // Node frames no body of a DELETE by itself.
        ...(body === undefined
          ? {}
          : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }),
      },
    });
  }
}
