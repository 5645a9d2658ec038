import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, PmanError, UsageError } from '../errors.ts';
import type { EventLog } from '../events/eventLog.ts';
import type { ViewJob } from '../jobs/jobView.ts';
import type { Logger } from '../log.ts';
import type { JobDatabase } from '../records/database.ts';
import { AllowedHosts } from './allowedHosts.ts';
import { Journal } from './deliveryJournal.ts';
import { type NotifyEntry, notifySchema } from './notify.ts';
import { NotifyFile } from './notifyFile.ts';
import { Webhooks, type WebhooksOptions } from './webhooks.ts';

export interface OpenWebhooksOptions {
  /** What the operator has said. */
  readonly settings: {
    /** Where webhooks may go; none: there are none. */
    readonly hosts: readonly string[];
    /** The file of secrets and endpoints. */
    readonly file: string | undefined;
    readonly retrySeconds: readonly number[];
  };
  readonly database: JobDatabase;
  readonly events: EventLog;
  readonly viewOf: ViewJob;
  /** The folder of ours beside the database. */
  readonly workFolder: string;
  readonly onTry: WebhooksOptions['onTry'];
  readonly log: Logger;
}

/**
 * Goes on telling others of jobs, where an earlier server has ended.
 * @param releases is given what ends it
 * @throws UsageError for a file of secrets that is no good; PmanError storage when what is to be sent cannot be read
 */
export function openWebhooks(
  { settings, database, events, viewOf, workFolder, onTry, log }: OpenWebhooksOptions,
  releases: Array<() => void | Promise<void>>,
): Webhooks {
  const hosts = allowedHosts(settings.hosts);
  const file = new NotifyFile(settings.file, log);
  for (const { name, url } of file.endpoints) {
    try {
      hosts.require(url);
    } catch (error) {
      throw new UsageError(`--notifyFile, [ENDPOINT ${name}]: ${messageOf(error)}`);
    }
  }
  const path = join(workFolder, 'webhooks.jsonl');
  if (hosts.isEmpty && existsSync(path)) {
    log.warn('webhooks of earlier jobs wait: no host is allowed', { file: path });
  }
  try {
    const webhooks = new Webhooks({
      ...{ events, hosts, file, onTry, log },
      journal: new Journal(path),
      retrySeconds: settings.retrySeconds,
      notifyOf: (root) => notifyIn(database, viewOf, root),
      hasJob: (root) => database.has(root),
    });
    releases.push(() => webhooks.close());
    return webhooks;
  } catch (error) {
    throw new PmanError('storage', `cannot go on with the webhooks: ${messageOf(error)}`, {
      hint: `remove ${path} to forget what is to be sent`,
      cause: error,
    });
  }
}

function allowedHosts(entries: readonly string[]): AllowedHosts {
  try {
    return new AllowedHosts(entries);
  } catch (error) {
    throw new UsageError(`--notifyHosts: ${messageOf(error)}`);
  }
}

/** What the record of a job says of whom to tell. */
function notifyIn(database: JobDatabase, viewOf: ViewJob, root: string): readonly NotifyEntry[] {
  const record = database.tree(root);
  const text = record?.leaves.get('d_meta');
  // Few jobs have it, and a meta can be large.
  if (record === undefined || typeof text !== 'string' || !text.includes('"notify"')) return [];
  const parsed = notifySchema.safeParse(viewOf(record).asked().notify);
  return parsed.success ? parsed.data : [];
}
