import type { NameOwner, Owner } from '../lib/jobs/container/engine.ts';

/** What services and containers carry to say whose they are. Docker takes any text as a value. */
const JOB_LABEL = 'org.fnndsc.pman.job';
const JID_LABEL = 'org.fnndsc.pman.jid';
const AUID_LABEL = 'org.fnndsc.pman.auid';
const INSTANCE_LABEL = 'org.fnndsc.pman.instance';

/** On an engine that is no swarm: which job's worker a container is, by the name that the job was given. */
export const NAME_LABEL = 'org.fnndsc.pman.service';
/** How many workers the job has that a container belongs to. */
export const WORKERS_LABEL = 'org.fnndsc.pman.workers';

/** What a manager image of ours carries: it takes limits, environment, user, mounts and labels as flags. */
export const OWN_MANAGER_LABEL = 'org.fnndsc.pman.manager';

export type Labels = Readonly<Record<string, string>>;

/** The labels that say whose work it is. */
export function ownerLabels({ job, jid, auid, instance }: Owner): Labels {
  return { [JOB_LABEL]: job, [JID_LABEL]: jid, [AUID_LABEL]: auid, [INSTANCE_LABEL]: instance };
}

/** Whose work it is that carries these labels. */
export function ownerIn(labels: Labels): Pick<NameOwner, 'job' | 'instance'> {
  return { job: labels[JOB_LABEL], instance: labels[INSTANCE_LABEL] };
}

/** The label of the manager containers of one pman. */
export function managerLabel(instance: string): string {
  return `${INSTANCE_LABEL}.${instance}`;
}
