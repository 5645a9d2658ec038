import { expect } from '@jest/globals';
import type { z } from 'zod';
import { type JobResource, jobSchema } from '../../lib/dialects/v2/jobSchema.ts';
import { jobPageSchema } from '../../lib/dialects/v2/listSchemas.ts';
import { problemSchema } from '../../lib/dialects/v2/problemSchema.ts';
import type { JobEvent } from '../../lib/events/event.ts';
import { eventSchema } from '../../lib/events/event.ts';
import type { TestServer } from './startServer.ts';

export interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A client of `/api/v2` by Node's own `fetch`. It holds each answer to the schema that the server promises. */
export class ApiClient {
  readonly #server: Pick<TestServer, 'port'>;

  constructor(server: Pick<TestServer, 'port'>) {
    this.#server = server;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#server.port}${path}`;
  }

  async send(method: string, path: string, body?: unknown, headers = {}): Promise<Said> {
    const answer = await fetch(this.url(path), {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '');
    const said = {
      status: answer.status,
      headers: answer.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
    if (answer.status >= 400 && answer.status !== 416) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      problemSchema.strict().parse(said.body);
    }
    return said;
  }

  /** Accepts a job. */
  async submit(job: object, headers = {}): Promise<JobResource> {
    const { status, body } = await this.send('POST', '/api/v2/jobs', job, headers);
    expect([status, body]).toEqual([201, expect.anything()]);
    return jobSchema.strict().parse(body);
  }

  async job(id: string, query = ''): Promise<JobResource> {
    const { status, body } = await this.send('GET', `/api/v2/jobs/${id}${query}`);
    expect([status, body]).toEqual([200, expect.anything()]);
    return jobSchema.strict().parse(body);
  }

  async page(query = ''): Promise<z.infer<typeof jobPageSchema>> {
    const { status, body } = await this.send('GET', `/api/v2/jobs${query}`);
    expect([status, body]).toEqual([200, expect.anything()]);
    return jobPageSchema.strict().parse(body);
  }

  /** Events as they come, in the form of Server-Sent Events, until the server goes away or the signal is given. */
  async *events(after: number, signal: AbortSignal, query = ''): AsyncGenerator<JobEvent> {
    const answer = await fetch(this.url(`/api/v2/events${query}`), {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(after) },
      signal,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const event = eventSchema.strict().parse(JSON.parse(data));
        expect(block).toBe(`id: ${event.seq}\nevent: ${event.type}\ndata: ${data}`);
        yield event;
      }
    }
  }
}
