import { z } from 'zod';

/**
 * The original's envelope in the words of OpenAPI: clients of old and tools read it, and no request is checked by it. What
 * each action takes in its `meta` is in docs/api.md.
 */

/** The actions, each with a `meta` that works. A test holds them to those that there are, and sends them. */
export const ENVELOPE_EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  run: { cmd: 'echo hello', auid: 'ana', jid: 'hello-1', threaded: true },
  status: { key: 'jid', value: 'hello-1' },
  result: { key: 'jid', value: 'hello-1' },
  kill: { key: 'jid', value: 'hello-1', signal: 'TERM', grace: 5 },
  done: { key: 'jid', value: 'hello-1' },
  info: { key: 'jid', value: 'hello-1' },
  search: { key: 'auid', value: 'ana' },
  get: { path: '/_0/cmd' },
  hello: { askAbout: 'echoBack', echoBack: { msg: 'hi' } },
  DBctl: { do: 'save' },
  delete: { key: 'jid', value: 'hello-1' },
  fileiosetup: { serveforever: false },
  quit: { saveDB: true },
};

export const envelopeSchema = z
  .object({
    payload: z.looseObject({
      action: z.string().meta({ examples: Object.keys(ENVELOPE_EXAMPLES) }),
      meta: z.looseObject({}).meta({ description: 'See docs/api.md of pman for each action.' }),
    }),
  })
  .meta({ id: 'Envelope' });

export const envelopeAnswerSchema = z
  .looseObject({
    status: z
      .boolean()
      .meta({ description: 'Whether it was done; a search: whether any was found.' }),
    error: z
      .looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
      .optional(),
  })
  .meta({
    id: 'EnvelopeAnswer',
    description:
      'The request is told again, as the original does, and the result is in a member of the name of the action, in `d_ret`, or in `GET`.',
  });

type Json = Record<string, unknown>;

/** The paths of the envelope. @param schemaOf gives a schema its place in the document */
export function envelopePaths(schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json): Json {
  const answer = schemaOf(envelopeAnswerSchema, 'output');
  const json = (description: string) => ({
    description,
    content: { 'application/json': { schema: answer }, 'application/html': { schema: answer } },
  });
  const refused = {
    '400': json('The request cannot be understood.'),
    '401': json('The server wants a token, or does not know this one.'),
    '403': json('The token does not allow it.'),
    '404': json('There is no such job.'),
    '409': json('It does not fit what there is.'),
    '429': json('Too many wrong tokens came from this address.'),
    '503': json('Something is away, or busy, just now.'),
  };
  const tooMuch = {
    '413': json('It is too long, or has too many values.'),
    '507': json('The disk does not take it: nothing is done.'),
  };
  const text = {
    description: 'The output, byte for byte.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  };
  const job = { name: 'job', in: 'path', required: true, schema: { type: 'string' } };
  const query = (name: string, description?: string) => ({
    ...{ name, in: 'query', schema: { type: 'string' } },
    ...(description === undefined ? {} : { description }),
  });
  return {
    '/api/v1/cmd': {
      post: {
        operationId: 'envelope',
        summary: 'Does what an action of the original asks for.',
        tags: ['envelope'],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: schemaOf(envelopeSchema, 'input'),
              examples: Object.fromEntries(
                Object.entries(ENVELOPE_EXAMPLES).map(([action, meta]) => [
                  action,
                  { value: { payload: { action, meta } } },
                ]),
              ),
            },
          },
        },
        responses: { '200': json('What there is to say.'), ...refused, ...tooMuch },
      },
    },
    '/api/v1': {
      get: {
        operationId: 'envelopeJobs',
        summary: 'Lists the jobs: all of their roots, or with a query a page of them.',
        tags: ['envelope'],
        parameters: [
          ...['auid', 'jid', 'status'].map((name) => query(name)),
          ...['since', 'until'].map((name) => query(name, 'A date, or digits such as 20261122.')),
          ...['order', 'offset', 'limit'].map((name) => query(name)),
        ],
        responses: { '200': json('The jobs.'), ...refused },
      },
    },
    '/api/v1/{job}': {
      get: {
        operationId: 'envelopeRecord',
        summary: 'Gives the record of a job; a longer path gives a place in it.',
        tags: ['envelope'],
        parameters: [job],
        responses: { '200': json('The record.'), ...refused },
      },
    },
    ...Object.fromEntries(
      ['stdout', 'stderr'].map((stream) => [
        `/api/v1/{job}/${stream}`,
        {
          get: {
            operationId: `envelope${stream === 'stdout' ? 'Stdout' : 'Stderr'}`,
            summary: `Gives what the job has written to ${stream}.`,
            tags: ['envelope'],
            parameters: [job, query('follow', '`1`: goes on until the job has ended.')],
            responses: {
              '200': text,
              '206': text,
              ...refused,
              '416': { description: 'No such range.' },
            },
          },
        },
      ]),
    ),
  };
}
