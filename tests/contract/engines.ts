import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defaultKubernetes } from '../../lib/config/kubernetes.ts';
import type { OpenEngine, ReadShown } from '../../lib/jobs/container/engine.ts';
import { silentLogger } from '../../lib/log.ts';
import { readShown as readShownJob } from '../../openshift/shownWork.ts';
import { readShown } from '../../swarm/service/shownTask.ts';
import { engineMissing, podmanMissing } from '../helpers/docker.ts';
import { EngineRelay } from '../helpers/engineRelay.ts';
import { KubernetesUnderTest, kubernetesMissing } from '../helpers/kubernetes.ts';
import {
  MEMORY_IMAGE,
  MemoryEngine,
  MemoryWorld,
  readMemoryShown,
} from '../helpers/memoryEngine.ts';
import { checkout } from '../helpers/startServer.ts';

/** An engine as the suite meets it, with ways to make it fail. */
export interface EngineUnderTest {
  readonly open: OpenEngine;
  readonly readShown: ReadShown;
  /** An image with a shell. */
  readonly image: string;
  /** A name that this engine does not take. */
  readonly badName: string;
  /** How lines end that a job writes to a terminal. */
  readonly terminalLineEnd: string;
  /** Whether it makes folders that are to be mounted and do not exist. */
  readonly makesFolders: boolean;
  /** Whether it tells that a process of a container ran out of memory, and not its first. */
  readonly tellsOfProcesses: boolean;
  /** Whether it gives a container something to read. */
  readonly givesInput: boolean;
  /** Connections are lost, and new ones are refused. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** It takes in what is asked and says nothing. */
  silence(): void;
  speak(): void;
  /** Kills the engine and starts it again on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface EngineFactory {
  readonly name: string;
  /** Why it cannot run here. */
  readonly missing: () => string | undefined;
  readonly up: () => Promise<EngineUnderTest>;
}

const inMemory: EngineFactory = {
  name: 'an engine in memory',
  missing: () => undefined,
  up: async () => {
    const world = new MemoryWorld();
    let speak: () => void = () => undefined;
    return {
      open: async () => new MemoryEngine(world),
      ...{
        readShown: readMemoryShown,
        image: MEMORY_IMAGE,
        badName: 'a/b',
        terminalLineEnd: '\r\n',
        makesFolders: false,
        tellsOfProcesses: true,
        givesInput: true,
      },
      cut: async () => {
        world.isAway = true;
      },
      restore: async () => {
        world.isAway = false;
      },
      silence: () => {
        world.silence = new Promise((resolve) => {
          speak = resolve;
        });
      },
      speak: () => {
        speak();
        world.silence = undefined;
      },
      // What it runs ends with it.
      restart: async () => {
        await world.close();
      },
      close: () => world.close(),
    };
  },
};

/** A Docker Engine or Podman of its own, behind a relay: it is killed, and other tests use the common one. */
async function realEngine(
  script: 'docker' | 'podman',
  containerEnv: 'swarm' | 'docker',
): Promise<EngineUnderTest> {
  const folder = `/tmp/pman-contract-${containerEnv}-${script}-${process.pid}`;
  const run = (verb: string) =>
    execFileSync('sh', [join(checkout, `tests/engines/${script}.sh`), verb, folder], {
      stdio: 'pipe',
    });
  run('up');
  const relay = await EngineRelay.to(join(folder, `${script}.sock`));
  const env = { ...process.env, DOCKER_HOST: relay.address };
  return {
    open: async (instance) => {
      const { openJobEngine } = await import('../../swarm/openJobEngine.ts');
      return openJobEngine({
        config: { containerEnv, dockerSocket: join(folder, `${script}.sock`), manager: 'auto' },
        settings: { env, home: homedir() },
        instance,
        log: silentLogger(),
      });
    },
    ...{
      readShown,
      image: 'local/busybox:latest',
      badName: 'a/b',
      terminalLineEnd: '\r\n',
      makesFolders: script === 'podman',
      tellsOfProcesses: script !== 'podman',
      givesInput: containerEnv === 'docker',
    },
    cut: () => relay.cut(),
    restore: () => relay.restore(),
    silence: () => relay.silence(),
    speak: () => relay.goOn(),
    restart: async () => {
      if (script === 'podman') run('stop');
      else process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
      run('up');
    },
    close: async () => {
      await relay.cut();
      run('down');
    },
  };
}

/** Jobs of Kubernetes in a namespace of their own, behind a relay. */
async function kubernetes(): Promise<EngineUnderTest> {
  const cluster = await KubernetesUnderTest.open();
  const relay = await EngineRelay.to(cluster.port);
  const kubeconfig = cluster.kubeconfigAt(relay.port);
  return {
    open: async () => {
      const { openKubernetes } = await import('../../openshift/openKubernetes.ts');
      const { namespace } = cluster;
      // As long as a fetch of an image that is there may take, and no longer: nobody is to wait for one that is not.
      const settings = { ...defaultKubernetes(), kubeconfig, namespace, startLimitMs: 5000 };
      return openKubernetes({ settings, log: silentLogger() });
    },
    ...{
      readShown: readShownJob,
      image: cluster.image,
      badName: 'a/b',
      terminalLineEnd: '\n', // the node keeps lines, without what a terminal puts before their end
      makesFolders: false,
      tellsOfProcesses: true,
      givesInput: true,
    },
    cut: () => relay.cut(),
    restore: () => relay.restore(),
    silence: () => relay.silence(),
    speak: () => relay.goOn(),
    restart: () => cluster.restart('kube-apiserver'),
    close: async () => {
      await relay.cut();
      await cluster.close();
    },
  };
}

export const engines = {
  memory: inMemory,
  swarm: {
    name: 'a swarm',
    missing: engineMissing,
    up: () => realEngine('docker', 'swarm'),
  },
  docker: {
    name: 'a Docker Engine without a swarm',
    missing: engineMissing,
    up: () => realEngine('docker', 'docker'),
  },
  podman: {
    name: 'Podman',
    missing: podmanMissing,
    up: () => realEngine('podman', 'docker'),
  },
  kubernetes: {
    name: 'Kubernetes',
    missing: kubernetesMissing,
    up: kubernetes,
  },
} satisfies Readonly<Record<string, EngineFactory>>;

export type EngineName = keyof typeof engines;
