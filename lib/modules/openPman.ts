import { join } from 'node:path';
import { clusterShares } from '../../openshift/clusterShares.ts';
import { readShown as readShownJob } from '../../openshift/shownWork.ts';
import { readShown as readShownTask } from '../../swarm/service/shownTask.ts';
import type { QuitOptions } from '../actions/action.ts';
import type { PmanConfig } from '../config/pman.ts';
import { openshiftDialect } from '../dialects/envelope/openshiftDialect.ts';
import { plainDialect } from '../dialects/envelope/statusAnswer.ts';
import { fileioOpener } from '../fileio/endpoint.ts';
import { sharedFolders } from '../jobs/container/plan.ts';
import type { Logger } from '../log.ts';
import { workFolderOf } from '../records/folder.ts';
import type { ContainerJobsPlace } from '../server/openJobs.ts';
import { type PmanServer, startServer } from '../server/server.ts';

/** What a pman is made of, for the program and for the module. */
export interface PmanParts {
  readonly config: PmanConfig;
  readonly log: Logger;
  /** What jobs inherit, and what the client of an engine looks at: DOCKER_HOST and the like. */
  readonly env: NodeJS.ProcessEnv;
  /** The user's home folder, for `~/.docker`. */
  readonly home: string;
  /** A client has asked the server to quit. */
  readonly onQuit: (options: QuitOptions) => void;
}

/**
 * Opens a pman with the engine that its settings name. Does nothing that concerns the whole process.
 * @throws PmanError, UsageError as `startServer` of lib/server does
 */
export function openPman(parts: PmanParts): Promise<PmanServer> {
  const { config, log, env, onQuit } = parts;
  return startServer({
    ...{ config, log, onQuit, jobEnv: env },
    openFileio: fileioOpener(config.fileioStore ?? join(workFolderOf(config.dbPath), 'fileio')),
    containerJobs: containerJobsPlace(parts),
    // Records of every engine are read, whichever is used now.
    readShown: (shown) => readShownJob(shown) ?? readShownTask(shown),
  });
}

/** Where jobs with a container go, by --container-env; an engine is loaded when the first one comes. */
function containerJobsPlace({ config, log, env, home }: PmanParts): ContainerJobsPlace {
  const { containerEnv } = config;
  switch (containerEnv) {
    case 'swarm':
    case 'docker':
      return {
        kind: 'engine',
        name: containerEnv,
        shareRule: sharedFolders(config.storeBase),
        dialect: plainDialect,
        open: async (instance) => {
          const { openJobEngine } = await import('../../swarm/openJobEngine.ts');
          return openJobEngine({ config, settings: { env, home }, instance, log });
        },
      };
    case 'openshift':
    case 'kubernetes':
      return {
        kind: 'engine',
        name: 'kubernetes',
        shareRule: clusterShares(config.kubernetes),
        dialect: openshiftDialect,
        open: async () => {
          const { openKubernetes } = await import('../../openshift/openKubernetes.ts');
          return openKubernetes({ settings: config.kubernetes, log });
        },
      };
    case 'host':
      return { kind: 'host' };
    default:
      log.warn('--container-env names no engine: jobs with a container run on this host', {
        containerEnv,
      });
      return { kind: 'host' };
  }
}
