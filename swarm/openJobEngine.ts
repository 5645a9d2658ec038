import type { Engine } from '../lib/jobs/container/engine.ts';
import type { Logger } from '../lib/log.ts';
import { type EngineSettings, engineAddress } from './client/engineAddress.ts';
import { openEngine } from './client/openEngine.ts';
import { ManagedEngine } from './managed/managedEngine.ts';
import { ManagerContainers } from './managed/managerContainers.ts';
import { PlainEngine } from './plain/plainEngine.ts';
import { SwarmEngine } from './service/swarmEngine.ts';

export interface JobEngineOptions {
  readonly config: {
    /** `docker`: containers of one engine; anything else: services of a swarm. */
    readonly containerEnv: string;
    /** The engine's socket on its own host: what a manager container gets. */
    readonly dockerSocket: string;
    /** `builtin`: no manager container is ever run. */
    readonly manager: 'auto' | 'builtin';
  };
  readonly settings: EngineSettings;
  /** The pman that asks: the same through its restarts. */
  readonly instance: string;
  readonly log: Logger;
}

/** The engine that the settings mean. Sends nothing yet. */
export async function openJobEngine(options: JobEngineOptions): Promise<Engine> {
  const { config, settings, instance, log } = options;
  const client = await openEngine(await engineAddress(settings), settings.env.SSH_AUTH_SOCK);
  if (config.containerEnv === 'docker') return new PlainEngine(client);
  const inner = new SwarmEngine(client, log);
  if (config.manager === 'builtin') return inner;
  const managers = new ManagerContainers({
    client,
    dockerSocket: config.dockerSocket,
    instance,
    isThere: async (name) => (await inner.owner(name)) !== undefined,
  });
  return new ManagedEngine({ inner, managers, log });
}
