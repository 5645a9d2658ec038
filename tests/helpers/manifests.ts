import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAllYaml, loadYaml } from '@kubernetes/client-node';
import { checkout } from './startServer.ts';

const manifests = join(checkout, 'openshift/manifests');

/** An object of a cluster, as far as tests look at it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Template {
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly value?: string }>;
  readonly objects: readonly Manifest[];
}

/** The folder of an overlay. */
export const overlay = (name: string) => join(manifests, 'overlays', name);

/** The objects of the base, of all its files. */
export function baseObjects(): readonly Manifest[] {
  const files = readdirSync(join(manifests, 'base')).filter((file) => file !== 'kustomization.yml');
  return files.flatMap((file) =>
    loadAllYaml(readFileSync(join(manifests, 'base', file), 'utf8')),
  ) as readonly Manifest[];
}

/** The objects of the OpenShift template, as `oc process` makes them of its parameters and of those given. */
export function processedTemplate(
  given: Readonly<Record<string, string>> = {},
): readonly Manifest[] {
  const { parameters, objects } = loadYaml<Template>(
    readFileSync(join(manifests, 'template.yml'), 'utf8'),
  );
  const values = new Map(parameters.map(({ name, value }) => [name, given[name] ?? value]));
  const text = JSON.stringify(objects).replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no value for the parameter ${name}`);
    return value;
  });
  return JSON.parse(text) as readonly Manifest[];
}
