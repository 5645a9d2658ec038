import { isContainerRecord, knownContainer } from '../jobs/container/knownContainer.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';
import { jobStates } from './done.ts';
import { type Hit, hitsOf } from './hits.ts';

/**
 * `status`: what `done` says, and the state of each job in a word, with what its containers have written (protocol a.7,
 * c, g). Whether a job is one of a container its record tells. A `note` says when an engine could not be asked.
 */
export const status = defineAction({
  schema: searchMeta,
  async handle(meta, { services }) {
    const hits = hitsOf(services, meta);
    // The container nodes are shown as they were before the question (protocol g).
    const states = jobStates(hits, (root) => services.jobs.place(root));
    const reports = await Promise.all(hits.map((hit) => reportOf(services, hit)));
    const hasContainers = reports.some(({ logs }) => logs !== undefined);
    const notes = [...new Set(reports.flatMap(({ note }) => note ?? []))];
    return {
      status: hits.length > 0,
      result: Object.fromEntries([
        ...states,
        ['l_status', reports.map(({ status }) => status)],
        ['l_logs', hasContainers ? reports.map(({ logs }) => logs ?? '') : []],
        ...(notes.length > 0 ? [['note', notes.join('; ')] as const] : []),
      ]),
    };
  },
});

interface Report {
  readonly status: string;
  /** Undefined for a job of the host. */
  readonly logs?: string;
  readonly note?: string;
}

async function reportOf(services: Services, { root, record, progress }: Hit): Promise<Report> {
  if (!isContainerRecord(record)) return { status: progress.status };
  return services.containers?.report(root, record) ?? knownContainer(record);
}
