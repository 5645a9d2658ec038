/** What stands beside `/api/v2`, in the words of OpenAPI: this document, the figures and the probes. */

type Json = Record<string, unknown>;

/** @param problem the schema of refusals */
export function sidePaths(problem: Json): Json {
  const refused = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: problem } },
  });
  const texts = (description: string, ...types: readonly string[]) => ({
    description,
    content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])),
  });
  const noToken = {
    401: refused('The server wants a token, or does not know this one.'),
    403: refused('The token does not allow this, or the server does not know its own name.'),
    429: refused('Too many wrong tokens came from this address.'),
  };
  const probe = (operationId: string, summary: string, no: Json) => ({
    // It takes no token at all.
    get: { operationId, summary, security: [], responses: { 200: ok, ...no } },
  });
  const ok = texts('`ok`.', 'text/plain');
  return {
    '/openapi.json': {
      get: {
        operationId: 'getOpenApi',
        summary: 'Gives this document, to every token.',
        responses: {
          200: {
            description: 'It.',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          304: { description: 'It is what `If-None-Match` names.' },
          ...noToken,
        },
      },
    },
    '/metrics': {
      get: {
        operationId: 'getMetrics',
        summary: 'Gives the figures of the server, to tokens with the scope `read` and no `auid`.',
        responses: {
          200: texts(
            'OpenMetrics for those who accept it, else the text of Prometheus.',
            'text/plain',
            'application/openmetrics-text',
          ),
          ...noToken,
        },
      },
    },
    '/livez': probe('isAlive', 'Tells whether pman answers.', {}),
    '/readyz': probe('isReady', 'Tells whether pman can take jobs.', {
      503: texts('Why it cannot, in a few words.', 'text/plain'),
    }),
  };
}
