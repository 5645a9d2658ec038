import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../lib/log.ts';
import { jobSchema } from '../../../openshift/objects.ts';
import { Reflector } from '../../../openshift/reflector.ts';
import { ApiServers } from '../../helpers/apiServer.ts';
import { eventually } from '../../helpers/eventually.ts';

describe('Reflector', () => {
  const servers = new ApiServers();
  const over = new AbortController();
  afterEach(() => servers.close());

  const job = (name: string, resourceVersion: string) => ({
    metadata: { name, uid: name, resourceVersion },
  });
  const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

  it('goes on from the last version when a watch ends, and lists again when that is gone', async () => {
    const asked: string[] = [];
    const answers = [
      JSON.stringify({ metadata: { resourceVersion: '10' }, items: [job('a', '9')] }),
      line('ADDED', job('b', '11')) + line('BOOKMARK', { metadata: { resourceVersion: '15' } }),
      line('ERROR', { code: 410, message: 'too old resource version' }),
      JSON.stringify({ metadata: { resourceVersion: '20' }, items: [job('c', '19')] }),
    ];
    const client = await servers.clientOf(({ url = '' }, response) => {
      asked.push(new URL(url, 'http://x').searchParams.get('resourceVersion') ?? 'list');
      const answer = answers.shift();
      if (answer === undefined) response.flushHeaders();
      else response.end(answer);
    });
    const seen: string[] = [];
    const reflector = new Reflector({
      ...{ client, kind: 'jobs', query: {}, schema: jobSchema, log: silentLogger() },
      onList: (all) => seen.push(`list ${all.objects.map(({ metadata }) => metadata.name)}`),
      onChange: ({ metadata }, isGone) => seen.push(`${isGone ? '-' : '+'}${metadata.name}`),
    });
    const running = reflector.run(over.signal, () => undefined);
    await eventually(() => asked.length === 5 && reflector.isWatching);
    over.abort();
    await running;
    expect(asked).toEqual(['list', '10', '15', 'list', '20']);
    expect(seen).toEqual(['list a', '+b', 'list c']);
    expect(reflector.isWatching).toBe(false);
  });

  it('fails when the API server refuses, so that somebody comes again later', async () => {
    const client = await servers.clientOf((_, response) => {
      response.writeHead(503).end('{"message": "etcd is away"}');
    });
    const reflector = new Reflector({
      ...{ client, kind: 'jobs', query: {}, schema: jobSchema, log: silentLogger() },
      ...{ onList: () => undefined, onChange: () => undefined },
    });
    await expect(
      reflector.run(new AbortController().signal, () => undefined),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: 'cannot list jobs: etcd is away',
    });
  });
});
