import { describe, expect, it } from '@jest/globals';
import { defaultKubernetes } from '../../../lib/config/kubernetes.ts';
import { podSecurity } from '../../../openshift/podSecurity.ts';

const settings = defaultKubernetes();
const plain = { isOpenShift: false };
const security = (
  asked: Partial<Parameters<typeof podSecurity>[0]> = {},
  set: Partial<typeof settings> = {},
  cluster = plain,
) =>
  podSecurity({ user: undefined, hasHostPath: false, ...asked }, { ...settings, ...set }, cluster);

describe('podSecurity', () => {
  it('keeps to the restricted profile when nothing is set', () => {
    expect(security()).toEqual({
      pod: {
        runAsNonRoot: true,
        ...{ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      container: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    });
  });

  it('names no user on OpenShift, which gives each project its own', () => {
    const { pod } = security({}, {}, { isOpenShift: true });
    expect(pod).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  });

  it('leaves the user of the image where a folder of the node is seen', () => {
    const { pod, container } = security({ hasHostPath: true });
    expect(pod).toEqual({ seccompProfile: { type: 'RuntimeDefault' } });
    expect(container).toEqual({ allowPrivilegeEscalation: false });
  });

  it.each([
    ['5', { runAsUser: 5, fsGroup: 5 }],
    ['5:6', { runAsUser: 5, runAsGroup: 6, fsGroup: 6 }],
  ])('takes the user %s of a request before that of the settings', (user, wanted) => {
    expect(security({ user }, { runAsUser: 9 }).pod).toMatchObject(wanted);
  });

  it('does not claim that root is none', () => {
    expect(security({ user: '0' }).pod).not.toHaveProperty('runAsNonRoot');
  });

  it.each(['root', '1:x', '-1', ''])('refuses the user %j: Kubernetes wants numbers', (user) => {
    expect(() => security({ user })).toThrow(/is no number/);
  });
});
