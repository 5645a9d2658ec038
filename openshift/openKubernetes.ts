import type { KubernetesSettings } from '../lib/config/kubernetes.ts';
import type { Engine } from '../lib/jobs/container/engine.ts';
import type { Logger } from '../lib/log.ts';
import { KubeClient } from './client.ts';
import { Credentials } from './credentials.ts';
import { KubernetesEngine } from './kubernetesEngine.ts';

/** pman 2.2.4: the project where nobody names one. */
const NAMESPACE = 'myproject';

export interface OpenKubernetesOptions {
  readonly settings: KubernetesSettings;
  readonly log: Logger;
}

/** The engine that the settings mean. Sends nothing yet. @throws PmanError unavailable without a kubeconfig */
export function openKubernetes(options: OpenKubernetesOptions): Engine {
  return kubernetesOver(clientOf(options.settings), options);
}

/** The client of the cluster that the settings mean. */
export function clientOf({ kubeconfig, namespace }: KubernetesSettings): KubeClient {
  const credentials = new Credentials(kubeconfig);
  return new KubeClient(credentials, namespace ?? credentials.namespace ?? NAMESPACE);
}

export function kubernetesOver(client: KubeClient, options: OpenKubernetesOptions): Engine {
  return new KubernetesEngine({ client, ...options });
}
