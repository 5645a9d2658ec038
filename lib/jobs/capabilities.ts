/** Engines of containers, as clients name them. */
export const ENGINE_NAMES = ['swarm', 'docker', 'kubernetes'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What a back-end can do for a job. */
export interface Capabilities {
  readonly name: 'host' | EngineName;
  /** What it runs. */
  readonly runs: readonly ('command' | 'ssh' | 'image')[];
  /** The members that a job may have here; others are refused, not ignored. */
  readonly takes: readonly string[];
  /** Those that one may have which goes to another host by ssh; absent where none does. */
  readonly takesOverSsh?: readonly string[];
  /** Whether the two outputs of a job are apart; else all of it counts as stdout. */
  readonly separateOutputs: boolean;
  /** Whether a signal can be sent to a job that is to go on. */
  readonly passesSignals: boolean;
}

const EVERYWHERE = [
  'command',
  'jid',
  'auid',
  'shell',
  'env',
  'timeout',
  'memory',
  'cpus',
  'labels',
];

/** What this host can do. */
export function hostCapabilities(isSshAllowed: boolean, runsImages: boolean): Capabilities {
  const takes = [...EVERYWHERE, 'cwd', 'nice', 'stdin', 'maxOutput'];
  return {
    name: 'host',
    runs: [
      'command',
      ...(isSshAllowed ? (['ssh'] as const) : []),
      ...(runsImages ? (['image'] as const) : []),
    ],
    takes: [...takes, 'files', ...(isSshAllowed ? ['ssh'] : [])],
    ...(isSshAllowed ? { takesOverSsh: [...takes, 'ssh'] } : {}),
    separateOutputs: true,
    passesSignals: true,
  };
}

/** The engines that can give a container something to read. */
const GIVES_INPUT: Readonly<Record<EngineName, boolean>> = {
  swarm: false,
  docker: true,
  kubernetes: true,
};

/**
 * What an engine can do: nearly all of it is the same, since their contract is one.
 * @param seesShares whether pman sees what containers leave in a shared folder
 */
export function engineCapabilities(name: EngineName, seesShares: boolean): Capabilities {
  return {
    name,
    runs: ['image'],
    takes: [
      ...[...EVERYWHERE, 'cwd', 'image', 'gpus', 'workers', 'user', 'shareDir', 'mounts'],
      'maxOutput',
      ...(GIVES_INPUT[name] ? ['stdin'] : []),
      ...(seesShares ? ['files'] : []),
    ],
    separateOutputs: false,
    passesSignals: false,
  };
}
