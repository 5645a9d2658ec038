import { describe, expect, it } from '@jest/globals';
import { jobSchema, podSchema } from '../../../openshift/objects.ts';
import { isGone, WorkCache } from '../../../openshift/workCache.ts';

const job = (uid: string, resourceVersion = '1') =>
  jobSchema.parse({ metadata: { name: 'j', uid, resourceVersion } });
const pod = (uid: string, ofJob: string, resourceVersion = '1', phase = 'Running') =>
  podSchema.parse({
    metadata: {
      ...{ name: uid, uid, resourceVersion, labels: { 'pman.fnndsc.org/name': 'j' } },
      ownerReferences: [{ kind: 'Job', uid: ofJob }],
    },
    spec: { containers: [{ name: 'j' }] },
    status: { phase },
  });

describe('what is known of the Jobs of a cluster', () => {
  it('is not made older by an answer that comes late', () => {
    const cache = new WorkCache();
    cache.putJob(job('1'));
    cache.putPod(pod('p', '1', '7', 'Succeeded'));
    cache.putPod(pod('p', '1', '5', 'Running'));
    expect(cache.work('j')?.pods.map(({ status }) => status.phase)).toEqual(['Succeeded']);
  });

  it('has no pods of an earlier Job of the same name', () => {
    const cache = new WorkCache();
    cache.putJob(job('1'));
    cache.putPod(pod('old', '1'));
    cache.putJob(job('2', '9'));
    cache.putPod(pod('new', '2'));
    expect(cache.work('j')?.pods.map(({ metadata }) => metadata.uid)).toEqual(['new']);
  });

  it('keeps how a pod stood that is gone, as long as its Job is there', () => {
    const cache = new WorkCache();
    cache.putJob(job('1'));
    cache.putPod(pod('p', '1', '2', 'Failed'));
    cache.removePod(pod('p', '1', '3', 'Failed'));
    const [left] = cache.work('j')?.pods ?? [];
    expect(left && isGone(left)).toBe(true);
    cache.removeJob(job('1'));
    expect(cache.work('j')).toBeUndefined();
  });

  it('tells what is missing from a new list', () => {
    const cache = new WorkCache();
    const none = { objects: [], version: '8' };
    cache.replaceJobs({ objects: [job('1')], version: '7' });
    cache.replacePods({ objects: [pod('p', '1')], version: '7' });
    expect(cache.replacePods(none).map(({ metadata }) => metadata.uid)).toEqual(['p']);
    expect(cache.replaceJobs(none).map(({ metadata }) => metadata.uid)).toEqual(['1']);
    expect(cache.work('j')).toBeUndefined();
  });

  it('loses nothing that a watch has told after a list was made that comes later', () => {
    const cache = new WorkCache();
    const before = { objects: [], version: '6' };
    cache.putJob(job('1', '7'));
    cache.putPod(pod('p', '1', '8'));
    cache.putPodsOf(job('1', '7'), before);
    expect([cache.replacePods(before), cache.replaceJobs(before)]).toEqual([[], []]);
    expect(cache.work('j')?.pods.map(isGone)).toEqual([false]);
  });
});
