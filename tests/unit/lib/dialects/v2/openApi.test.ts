import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openApi } from '../../../../../lib/dialects/v2/index.ts';
import { routes } from '../../../../../lib/dialects/v2/routes.ts';
import { checkout } from '../../../../helpers/startServer.ts';

const document = openApi();
const text = JSON.stringify(document);

type Shape = Record<string, unknown>;

/** What the parameters of a GET have to be, by their names. */
function parametersOf(path: string): ReadonlyMap<string, Shape> {
  const { paths } = document as {
    paths: Record<string, { get?: { parameters: { name: string; schema: Shape }[] } }>;
  };
  const parameters = paths[path]?.get?.parameters ?? [];
  return new Map(parameters.map(({ name, schema }) => [name, schema]));
}

describe('the OpenAPI document', () => {
  it('is the one that the docs hold; npm run openapi writes it', () => {
    const file = readFileSync(join(checkout, 'docs/openapi.json'), 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(text));
  });

  it('has each route, under a name of its own', () => {
    const operations = routes.map(({ operation }) => operation);
    expect(new Set(operations).size).toBe(routes.length);
    for (const { path, method, operation } of routes) {
      expect(document).toHaveProperty(
        ['paths', path, method.toLowerCase(), 'operationId'],
        operation,
      );
    }
  });

  it('refers to nothing that it does not hold', () => {
    const { schemas } = (document as { components: { schemas: Record<string, unknown> } })
      .components;
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(schemas)).toContain(name);
    }
    expect(text).not.toContain('$defs');
  });

  it('lets clients send the numbers and cursors that the server takes, and no others', () => {
    const ofList = parametersOf('/api/v2/jobs');
    const cursor = Buffer.from('20261129142808.470942_303264ce').toString('base64url');
    expect(cursor).toMatch(new RegExp(String(ofList.get('cursor')?.pattern)));
    expect(ofList.get('offset')).toMatchObject({ minimum: 0, maximum: 999_999_999_999_999 });
    expect(parametersOf('/api/v2/jobs/{id}/output/lines').get('count')).toMatchObject({
      ...{ minimum: 0, maximum: 5000 },
    });
  });

  it('tells what is answered where a job is named, sent or refused, and by which headers', () => {
    const { paths } = document as {
      paths: Record<string, Record<string, { responses: Record<string, { headers?: object }> }>>;
    };
    const { responses = {} } = paths['/api/v2/jobs']?.post ?? {};
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['413', '429', '507']));
    expect(Object.keys(responses['201']?.headers ?? {})).toEqual(['Location']);
    for (const [path, operations] of Object.entries(paths)) {
      if (!path.startsWith('/api/v2/jobs/{id}')) continue;
      for (const [method, { responses: said }] of Object.entries(operations))
        expect([method, path, '404' in said, '409' in said]).toEqual([method, path, true, true]);
    }
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/openapi.json', '/metrics', '/livez', '/readyz']),
    );
  });

  it('has every parameter that stands in a path', () => {
    const { paths } = document as {
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
    };
    for (const [path, methods] of Object.entries(paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((p) => p.in === 'path').map(({ name }) => name)).toEqual(wanted);
      }
    }
  });
});
