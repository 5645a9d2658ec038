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
  return {
    name: 'host',
    runs: [
      'command',
      ...(isSshAllowed ? (['ssh'] as const) : []),
      ...(runsImages ? (['image'] as const) : []),
    ],
    takes: [
      ...[...EVERYWHERE, 'cwd', 'nice', 'stdin', 'maxOutput', 'files'],
      ...(isSshAllowed ? ['ssh'] : []),
    ],
    separateOutputs: true,
    passesSignals: true,
  };
}

/** What every engine can do: its contract is one. */
export function engineCapabilities(name: EngineName): Capabilities {
  return {
    name,
    runs: ['image'],
    takes: [...EVERYWHERE, ...['image', 'gpus', 'workers', 'user', 'shareDir', 'mounts']],
    separateOutputs: false,
    passesSignals: false,
  };
}
