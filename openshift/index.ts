/** Jobs in a Kubernetes or OpenShift cluster as a library: `import { openCluster } from 'pman/openshift'`. */
import { type KubernetesOptions, kubernetesOf } from '../lib/config/kubernetes.ts';
import type { Engine } from '../lib/jobs/container/engine.ts';
import { type LogMethods, loggerOver } from '../lib/log.ts';
import { openKubernetes } from './openKubernetes.ts';

export { type ErrorCode, PmanError, UsageError } from '../lib/errors.ts';
export type * from '../lib/jobs/container/engine.ts';
export type { KubernetesOptions, LogMethods };

export interface ClusterOptions extends KubernetesOptions {
  /** Gets what the engine has to say; default: nobody does. */
  readonly logger?: LogMethods;
  /** Where KUBECFG_PATH, OPENSHIFTMGR_PROJECT, STORAGE_TYPE and STOREBASE are looked for. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The engine for the cluster that the settings mean: those of pman's flags, such as `kubeconfig` and `namespace`. Without
 * `kubeconfig` it is the one that kubectl takes. Sends nothing yet; only `follow` and `changes` keep something open, until
 * their signal is given.
 * @throws UsageError (`usage`) for a setting that is wrong; PmanError `unavailable` without a kubeconfig
 */
export function openCluster({ logger, env = {}, ...options }: ClusterOptions = {}): Engine {
  return openKubernetes({ settings: kubernetesOf(options, env), log: loggerOver(logger) });
}
