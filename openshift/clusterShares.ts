import { posix } from 'node:path';
import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import { BadRequestError } from '../lib/errors.ts';
import type { ShareRule } from '../lib/jobs/container/engine.ts';

/** pman 2.2.4: where a job's data lies on its node (protocol h). */
const KEYS = '/tmp/share';

/**
 * What is shared with jobs of a cluster. A folder of the node is waited for on pman's own file system, which is the node's where such
 * are used; what is no full path means the folder of the job's key, as in the original. A folder of a claim is below STOREBASE, or
 * stands for its last part there. This loads no client.
 */
export function clusterShares({
  storage,
  storeBase,
}: Pick<KubernetesSettings, 'storage' | 'storeBase'>): ShareRule {
  return (given, jid) => {
    if (given === undefined || /^\/*$/.test(given) || storage.kind === 'swift') return {};
    const asked = posix.normalize(given).replace(/\/+$/, '');
    if (storage.kind === 'hostPath') {
      if (!asked.startsWith('/')) return { shareDir: `${KEYS}/key-${jid}` };
      const last = asked.split('/').at(-1);
      return { awaited: asked, shareDir: storeBase ? `${storeBase}/${last}` : asked };
    }
    const base = storeBase?.replace(/\/+$/, '');
    const below =
      base !== undefined && asked.startsWith(`${base}/`)
        ? asked.slice(base.length + 1)
        : posix.basename(asked);
    if (below === '..' || below === '.' || below === '') {
      throw new BadRequestError(
        `run: "meta.container.manager.env.shareDir": ${JSON.stringify(given.slice(0, 80))} names no folder of the claim`,
      );
    }
    return { shareDir: below };
  };
}
