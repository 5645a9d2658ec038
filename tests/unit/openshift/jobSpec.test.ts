import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultKubernetes } from '../../../lib/config/kubernetes.ts';
import type { WorkOptions, WorkRequest } from '../../../lib/jobs/container/engine.ts';
import type { JsonObject } from '../../../lib/wire/json.ts';
import { jobBody } from '../../../openshift/jobSpec.ts';

const owner = { job: 'root', instance: 'inst', jid: 'jid', auid: 'auid' };
const facts = { isOpenShift: false, hasLimitPerIndex: true, template: {}, namespace: 'ns' };

interface Body {
  readonly spec: {
    readonly [name: string]: unknown;
    readonly template: {
      readonly metadata: JsonObject;
      readonly spec: {
        readonly [name: string]: unknown;
        readonly containers: ReadonlyArray<{
          readonly command: readonly string[];
          readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>;
          readonly resources: JsonObject;
        }>;
      };
    };
  };
}

const bodyOf = (
  request: Partial<WorkRequest> = {},
  options: WorkOptions = {},
  cluster: Partial<typeof facts> = {},
) =>
  jobBody(
    { name: 'j', image: 'img', cmd: 'true', owner, options, ...request },
    defaultKubernetes(),
    { ...facts, ...cluster },
  ) as unknown as Body; // the form of a Job
const mainOf = (body: Body) => {
  const [main] = body.spec.template.spec.containers;
  if (main === undefined) throw new Error('there is no container');
  return main;
};
/** What Kubernetes makes of a text with variables in it, of which there are none. */
const expanded = (text: string) =>
  text.replace(/\$\$|\$\([^)]*\)/g, (found) => (found === '$$' ? '$' : 'EXPANDED'));

describe('the Job for a request', () => {
  it('keeps words and variables that Kubernetes would expand', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[$()A-Za-z ]{0,30}$/), (text) => {
        const main = mainOf(bodyOf({ cmd: `echo '${text}'` }, { env: { TEXT: text } }));
        expect(expanded(main.command[1] ?? '')).toBe(text);
        expect(expanded(main.env.find(({ name }) => name === 'TEXT')?.value ?? '')).toBe(text);
      }),
    );
  });

  it('never runs a pod again: of one worker, of several, and on an older cluster', () => {
    expect(bodyOf().spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 0 });
    const several = bodyOf({}, { workers: 3 });
    expect(several.spec).toMatchObject({ completionMode: 'Indexed', backoffLimitPerIndex: 0 });
    const older = bodyOf({}, { workers: 3 }, { hasLimitPerIndex: false });
    expect(older.spec).toMatchObject({ completions: 3, backoffLimit: 0 });
    expect(older.spec.template.spec.restartPolicy).toBe('Never');
  });

  it('has no time to live: what it has written stays until it is read', () => {
    expect(bodyOf().spec).not.toHaveProperty('ttlSecondsAfterFinished');
  });

  it.each([
    [undefined, 3600],
    [90_500, 151],
  ])('with the time limit %s ms gives the pod %s s, and the Job a minute more', (timeoutMs, s) => {
    const { spec } = bodyOf(timeoutMs === undefined ? {} : { timeoutMs });
    expect(spec.template.spec.activeDeadlineSeconds).toBe(s);
    expect(spec.activeDeadlineSeconds).toBe(s + 60);
  });

  it('sets aside no more than the job may use', () => {
    const limits = { cpus: 0.1, memoryBytes: 64 * 1024 * 1024 };
    expect(mainOf(bodyOf({}, { limits })).resources).toEqual({
      limits: { cpu: '100m', memory: '64Mi' },
      requests: { cpu: '100m', memory: '64Mi' },
    });
  });

  it('lets the variables of a request win over those of the original', () => {
    const env = mainOf(bodyOf({}, { env: { CPU_LIMIT: 'mine' } })).env;
    expect(env.filter(({ name }) => name === 'CPU_LIMIT')).toEqual([
      { name: 'CPU_LIMIT', value: 'mine' },
    ]);
  });

  it('keeps labels that are none for Kubernetes in an annotation, and its own in any case', () => {
    const labels = { fine: 'x', 'not fine': 'a b', 'job-origin': 'other' };
    expect(bodyOf({}, { labels }).spec.template.metadata).toMatchObject({
      labels: { fine: 'x', 'job-origin': 'pman' },
      annotations: { 'pman.fnndsc.org/labels': '{"not fine":"a b"}' },
    });
  });
});
