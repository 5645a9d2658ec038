import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openApi } from '../../../../../lib/dialects/v2/index.ts';
import { routes } from '../../../../../lib/dialects/v2/routes.ts';
import { checkout } from '../../../../helpers/startServer.ts';

const document = openApi();
const text = JSON.stringify(document);

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
