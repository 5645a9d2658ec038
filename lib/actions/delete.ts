import { z } from 'zod';
import { PmanError } from '../errors.ts';
import { removeJobs } from '../jobs/removal.ts';
import { MAX_NAME_BYTES } from '../tree/paths.ts';
import { anyJson, text } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { requireRoots } from './hits.ts';

const leafName = text.refine(
  (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES,
  `is longer than the ${MAX_NAME_BYTES} bytes of a name`,
);

const schema = z.looseObject({ key: leafName.default('jid'), value: anyJson });

/**
 * `delete`: removes jobs that have ended, with all that is kept of them. `value` names them, by `jid` unless `key`
 * says otherwise. The original does so for OpenShift jobs only (protocol a.7, h), and ends those that run; the reply is the same.
 */
export const deleteJob = defineAction({
  schema,
  async handle(meta, { services, pace }) {
    const { database, jobs, dialect, settings } = services;
    if (dialect.nothingDeleted !== undefined) {
      const found = await database.find(meta.key, meta.value, pace);
      if (found.length === 0) return dialect.nothingDeleted;
    }
    const roots = await requireRoots({ services, pace }, meta);
    if (dialect.endsToDelete) {
      const order = { signal: 'SIGTERM', graceMs: settings.killGraceMs, cause: 'deleted' } as const;
      await Promise.all(
        roots.map(async (root) => {
          if (await jobs.kill(root, order)) await jobs.ended(root);
        }),
      );
    }
    const busy = roots.find((root) => jobs.isActive(root));
    if (busy !== undefined) {
      throw new PmanError('conflict', `the job ${busy} has not ended`, {
        hint: 'end it first, with the action "kill"',
      });
    }
    await removeJobs(services, roots, pace?.toTheEnd());
    return {
      jobs: roots,
      status: dialect.deleted,
      result: {
        action: 'Delete Job',
        job_id: meta.value,
        status: 'Job deleted successfully',
      },
    };
  },
});
