import { readFileSync } from 'node:fs';
import { loadYaml } from '@kubernetes/client-node';
import { z } from 'zod';
import { messageOf, PmanError } from '../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/wire/json.ts';
import type { KubeClient } from './client.ts';
import type { ClusterFacts } from './clusterFacts.ts';

const version = z.object({ major: z.string(), minor: z.string() });
const groups = z.object({ groups: z.array(z.object({ name: z.string() })) });

/** The first version in which each worker of a Job can fail by itself. */
const LIMIT_PER_INDEX_SINCE = { major: 1, minor: 29 } as const;

/** Asks the cluster what it is. */
export async function readFacts(client: KubeClient, template: JsonObject): Promise<ClusterFacts> {
  const doing = 'ask which cluster it is';
  const [said, known] = await Promise.all([
    client.askIfThere(doing, { path: '/version' }),
    client.askIfThere(doing, { path: '/apis' }),
  ]);
  const { major, minor } = version.catch({ major: '1', minor: '0' }).parse(said);
  const [big, small] = [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
  const { groups: all } = groups.catch({ groups: [] }).parse(known);
  const since = LIMIT_PER_INDEX_SINCE;
  return {
    isOpenShift: all.some(({ name }) => name === 'security.openshift.io'),
    hasLimitPerIndex: big > since.major || (big === since.major && small >= since.minor),
    template,
  };
}

/**
 * The pod of a file, YAML or JSON: a Pod, a PodTemplate, or a template's `metadata` and `spec` alone.
 * @throws PmanError unavailable when it cannot be read: jobs made without it might go where they must not
 */
export function readTemplate(file: string | undefined): JsonObject {
  if (file === undefined) return {};
  try {
    const read = loadYaml<JsonValue>(readFileSync(file, 'utf8'));
    if (!isJsonObject(read)) throw new Error('it holds no object');
    const { template } = read;
    const { metadata, spec } = isJsonObject(template) ? template : read;
    if (!isJsonObject(spec)) throw new Error('it has no "spec"');
    return { ...(isJsonObject(metadata) ? { metadata } : {}), spec };
  } catch (error) {
    throw new PmanError('unavailable', `cannot use --podTemplate ${file}: ${messageOf(error)}`);
  }
}
