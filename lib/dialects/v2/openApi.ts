import { z } from 'zod';
import { VERSION } from '../../version.ts';
import { answerHeaders } from './answerHeaders.ts';
import type { Route, RouteAnswer } from './apiRoute.ts';
import { envelopePaths } from './envelopePaths.ts';
import { problemSchema } from './problemSchema.ts';
import { routes } from './routes.ts';
import { sidePaths } from './sidePaths.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of `/api/v2`, made of the routes and the schemas that check their requests. */
export function openApi(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(route, schemas),
    };
  }
  const old = envelopePaths((schema, io) => schemaOf(schema, io, schemas));
  return {
    openapi: '3.1.0',
    info: {
      title: 'pman',
      version: VERSION,
      description: 'Runs commands, and remembers every job.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths: { ...paths, ...sidePaths(schemaOf(problemSchema, 'output', schemas)), ...old },
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: Route, schemas: Json): Json {
  const { operation: operationId, summary, params, query, body } = route;
  const isTagged = route.method === 'GET' && route.answers[200]?.schema !== undefined;
  const requestHeaders = {
    ...(isTagged ? { 'If-None-Match': 'The `ETag` of the answer that the client has.' } : {}),
    ...route.requestHeaders,
  };
  return {
    operationId,
    summary,
    parameters: [
      ...parametersOf('path', params, schemas),
      ...parametersOf('query', query, schemas),
      ...Object.entries(requestHeaders)
        // OpenAPI has its own words for what a client accepts.
        .filter(([name]) => name !== 'Accept')
        .map(([name, description]) => {
          return { name, in: 'header', description, schema: { type: 'string' } };
        }),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: {
              'application/json': {
                schema: schemaOf(body, 'input', schemas),
                ...(route.examples && { examples: examplesOf(route.examples) }),
              },
              ...(route.takesInput === true && {
                'multipart/form-data': { schema: formOf(schemaOf(body, 'input', schemas)) },
              }),
            },
          },
        }),
    responses: Object.fromEntries(
      Object.entries({ ...alsoAnswered(route, isTagged), ...route.answers }).map(
        ([status, answer]) => [status, responseOf(Number(status), answer, schemas, isTagged)],
      ),
    ),
  };
}

/** What the server answers beside what the route does. */
function alsoAnswered(
  { params, body, deed }: Route,
  isTagged: boolean,
): Readonly<Record<number, RouteAnswer>> {
  const isOfJob = params instanceof z.ZodObject && 'id' in params.shape;
  return {
    400: { description: 'The request cannot be understood.' },
    401: { description: 'The server wants a token, or does not know this one.' },
    403: { description: 'The token, or the server, does not allow this.' },
    429: { description: 'Too many wrong tokens came from this address.' },
    431: { description: 'The path and the headers are too long together.' },
    503: { description: 'Something is away, or busy, just now.' },
    ...(isTagged && { 304: { description: 'It is what `If-None-Match` names.' } }),
    ...(isOfJob && { 409: { description: 'The short `id` means several jobs.' } }),
    ...(body !== undefined && {
      413: { description: 'The body is too long.' },
      415: { description: 'The body has a `Content-Encoding`.' },
    }),
    ...(deed !== undefined && {
      507: { description: 'The disk does not take it: nothing is done.' },
    }),
  };
}

function examplesOf(examples: NonNullable<Route['examples']>): Json {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

/** The same with what the job is to read, as a file. */
function formOf(job: Json): Json {
  return {
    type: 'object',
    properties: { job, stdin: { type: 'string', contentMediaType: 'application/octet-stream' } },
    required: ['job'],
    additionalProperties: false,
  };
}

function responseOf(
  status: number,
  { description, schema, types = [], links = [] }: RouteAnswer,
  schemas: Json,
  isTagged: boolean,
) {
  // The front answers 431 before it is known what was asked for.
  const isProblem = status >= 400 && status !== 416 && status !== 431;
  const content: Json = {
    ...(schema && { 'application/json': { schema: schemaOf(schema, 'output', schemas) } }),
    ...Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])),
    ...(isProblem && {
      'application/problem+json': { schema: schemaOf(problemSchema, 'output', schemas) },
    }),
  };
  const byId = (operationId: string) => ({ operationId, parameters: { id: '$response.body#/id' } });
  const headers = answerHeaders(status, isTagged);
  return {
    description,
    ...(headers && { headers }),
    ...(Object.keys(content).length > 0 && { content }),
    ...(links.length > 0 && { links: Object.fromEntries(links.map((to) => [to, byId(to)])) }),
  };
}

/** In a URL everything is text; what it stands for is said. */
function parametersOf(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: Json) {
  if (schema === undefined) return [];
  const { properties } = schemaOf(schema, 'output', schemas) as {
    properties: Record<string, { description?: string; type?: string; explode?: boolean }>;
  };
  const { required = [] } = schemaOf(schema, 'input', schemas) as { required?: readonly string[] };
  return Object.entries(properties).map(([name, { description, explode = false, ...rest }]) => ({
    ...{ name, in: place, required: required.includes(name) },
    ...(description === undefined ? {} : { description }),
    ...(rest.type === 'array' ? { style: 'form', explode } : {}),
    schema: rest,
  }));
}

/** The JSON Schema of a zod schema; those with an `id` stand among the components, once. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const {
    $defs,
    $schema: _,
    ...made
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as {
    $defs?: Json;
    $schema?: string;
  } & Json;
  const { id } = (schema.meta() ?? {}) as { id?: string };
  const fixed = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/')) as Json;
  for (const [name, definition] of Object.entries($defs ?? {})) {
    const { id: __, ...rest } = fixed(definition);
    schemas[name] = rest;
  }
  if (id === undefined) return fixed(made);
  const { id: __, ...rest } = fixed(made);
  // One that stands among its own definitions is there already.
  if (!('$ref' in rest)) schemas[id] = rest;
  return { $ref: `#/components/schemas/${id}` };
}
