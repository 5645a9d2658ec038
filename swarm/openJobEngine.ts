import type { ContainerEngine } from '../lib/jobs/container/engine.ts';
import type { Logger } from '../lib/log.ts';
import { type EngineSettings, engineAddress } from './client/engineAddress.ts';
import { openEngine } from './client/openEngine.ts';
import { PlainJobEngine } from './plain/plainEngine.ts';
import { SwarmJobEngine } from './service/swarmEngine.ts';

export interface JobEngineOptions {
  readonly config: {
    /** `docker`: containers of one engine; anything else: services of a swarm. */
    readonly containerEnv: string;
    /** The engine's socket on its own host: what a manager container gets. */
    readonly dockerSocket: string;
  };
  readonly settings: EngineSettings;
  /** Label of the manager containers of this server. */
  readonly instanceLabel: string;
  readonly log: Logger;
}

/** The container engine that the settings mean. Sends nothing yet. */
export async function openJobEngine(options: JobEngineOptions): Promise<ContainerEngine> {
  const { config, settings, instanceLabel, log } = options;
  const address = await engineAddress(settings);
  const client = await openEngine(address, settings.env.SSH_AUTH_SOCK);
  if (config.containerEnv === 'docker') return new PlainJobEngine(client);
  const { dockerSocket } = config;
  return new SwarmJobEngine(client, { dockerSocket, instanceLabel, log });
}
