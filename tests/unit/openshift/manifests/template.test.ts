import { describe, expect, it } from '@jest/globals';
import { baseObjects, type Manifest, processedTemplate } from '../../../helpers/manifests.ts';

const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;
const inOrder = (objects: readonly Manifest[]) =>
  [...objects].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

/** What OpenShift's overlay adds to the base, taken out of the template's objects. */
function withoutOpenShift(objects: readonly Manifest[]): unknown {
  return JSON.parse(
    JSON.stringify(objects)
      .replaceAll(',"annotations":{"openshift.io/required-scc":"restricted-v2"}', '')
      .replaceAll(',"--container-env=openshift"', ''),
  );
}

describe('the OpenShift template', () => {
  const objects = processedTemplate({ TOKEN: 'abc', IMAGE: 'fnndsc/pman' });
  const isOwn = ({ kind }: Manifest) => kind === 'Secret' || kind === 'Route';

  it('deploys what the overlays deploy', () => {
    expect(withoutOpenShift(inOrder(objects.filter((one) => !isOwn(one))))).toEqual(
      inOrder(baseObjects()),
    );
  });

  it('adds a token that nobody else has, and a way in for each program', () => {
    expect(objects.filter(isOwn).map(nameOf)).toEqual([
      'Secret pman-tokens',
      'Route pman',
      'Route pfioh',
    ]);
    expect(() => processedTemplate()).toThrow('no value for the parameter TOKEN');
  });
});
