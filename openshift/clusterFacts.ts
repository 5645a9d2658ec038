import type { JsonObject } from '../lib/wire/json.ts';

/** What is known of the cluster, and of the file of the settings, when a Job is made. */
export interface ClusterFacts {
  /** It gives each namespace users of its own: pods name none. */
  readonly isOpenShift: boolean;
  /** Whether each worker can fail by itself (1.29 and later). */
  readonly hasLimitPerIndex: boolean;
  /** The pod that jobs are made from. */
  readonly template: JsonObject;
}
