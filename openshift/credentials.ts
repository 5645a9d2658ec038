import { existsSync } from 'node:fs';
import { Agent as PlainAgent, type RequestOptions } from 'node:http';
import { Agent, type AgentOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { messageOf, PmanError } from '../lib/errors.ts';

/** How long an idle connection to the API server is kept, in milliseconds. */
const IDLE_MS = 30_000;

/** Which cluster is asked, as whom: from a kubeconfig, or the service account of the pod that this runs in. */
export class Credentials {
  readonly #file: string | undefined;
  #config: KubeConfig;
  #agent: PlainAgent | undefined;
  /** What the agent was made of. */
  #agentKey = '';

  /**
   * @param file the kubeconfig; undefined: $KUBECONFIG, ~/.kube/config, or the pod's service account, the first there is
   * @throws PmanError unavailable when there is none, or it cannot be read
   */
  constructor(file: string | undefined) {
    this.#file = file;
    this.#config = loadConfig(file);
  }

  get config(): KubeConfig {
    return this.#config;
  }

  /** The address of the API server, without a slash at its end. */
  get server(): string {
    return (this.#config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  }

  /** The namespace of the current context, or of the pod. */
  get namespace(): string | undefined {
    const context = this.#config.getContextObject(this.#config.getCurrentContext());
    return context?.namespace || undefined;
  }

  /** Reads the kubeconfig again: its tokens may have been renewed. */
  reload(): void {
    this.#config = loadConfig(this.#file);
  }

  /** The headers and connections for a request. Tokens that expire are renewed as the kubeconfig says. */
  async options(): Promise<Pick<RequestOptions, 'headers' | 'auth' | 'agent'>> {
    const options: RequestOptions & AgentOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { headers, auth, ca, cert, key, pfx, passphrase } = options;
    const cluster = this.#config.getCurrentCluster();
    const agentKey = JSON.stringify([String(ca), String(cert), String(key), String(pfx)]);
    if (this.#agent === undefined || agentKey !== this.#agentKey) {
      const given: AgentOptions = {
        ...{ keepAlive: true, timeout: 0, keepAliveMsecs: IDLE_MS, scheduling: 'lifo' },
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        ...(pfx && { pfx }),
        ...(passphrase && { passphrase }),
        ...(cluster?.skipTLSVerify && { rejectUnauthorized: false }),
        ...(cluster?.tlsServerName && { servername: cluster.tlsServerName }),
      };
      this.#agent = cluster?.proxyUrl
        ? (options.agent as PlainAgent) // made for that proxy
        : this.server.startsWith('http:')
          ? new PlainAgent({ keepAlive: true })
          : new Agent(given);
      this.#agentKey = agentKey;
    }
    return {
      ...(headers && { headers }),
      ...(auth && { auth }),
      agent: this.#agent,
    };
  }
}

function loadConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file !== undefined && !existsSync(file)) throw new Error('there is no such file');
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('its current context names no cluster');
    // Without TLS there is nothing to verify; the client wants to be told.
    if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
      config.loadFromOptions({
        clusters: config.clusters.map((one) => ({ ...one, skipTLSVerify: true })),
        contexts: config.contexts,
        users: config.users,
        currentContext: config.currentContext,
      });
    }
  } catch (error) {
    const what = file === undefined ? 'the kubeconfig' : `the kubeconfig ${file}`;
    throw new PmanError('unavailable', `cannot use ${what}: ${messageOf(error)}`, {
      hint: 'Name another one: --kubeconfig, KUBECFG_PATH or KUBECONFIG.',
      cause: error,
    });
  }
  return config;
}
