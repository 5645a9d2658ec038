import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { makeFolder } from '../../host/folders.ts';
import type { Logger } from '../../log.ts';
import { isJobRoot } from '../../records/jobRoot.ts';
import type { TreeNode } from '../../tree/node.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../wire/json.ts';
import { dumps } from '../../wire/pythonJson.ts';
import type { ContainerRecordJob } from './containerRecord.ts';
import type { ContainerRequest, ManagerImage } from './engine.ts';
import { isContainerRecord } from './knownContainer.ts';

/**
 * How far a container job has come. Between `scheduling` and `scheduled` only the engine knows whether there is a
 * service.
 */
export type Stage = 'accepted' | 'scheduling' | 'scheduled';

/** All that is needed to go on with a container job. */
export interface SpooledJob {
  readonly job: ContainerRecordJob;
  readonly request: ContainerRequest;
  /** The image that manages it; absent: the built-in manager does. */
  readonly manager?: ManagerImage;
  readonly awaitedFolder?: string;
  readonly stage: Stage;
  /** How long it may take from when it was scheduled, in milliseconds. */
  readonly timeoutMs?: number;
  /** When it was scheduled, in milliseconds since 1970. */
  readonly scheduledAt?: number;
  /** Who has asked to end it, in words. */
  readonly killed?: string;
}

/** A file for each container job that has not ended, `<job root>.json`, replaced as a whole. */
export class ContainerSpool {
  readonly #folder: string;
  readonly #fsync: boolean;
  readonly #log: Logger;

  constructor(folder: string, fsync: boolean, log: Logger) {
    this.#folder = folder;
    this.#fsync = fsync;
    this.#log = log;
    makeFolder(folder);
  }

  write(root: string, job: SpooledJob): void {
    const file = this.#file(root);
    const draft = `${file}.new`;
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeFileSync(fd, dumps(job as unknown as JsonValue));
      if (this.#fsync) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, file);
  }

  remove(root: string): void {
    rmSync(this.#file(root), { force: true });
  }

  /** The jobs that have not ended, oldest first. A file that is none is moved aside. */
  read(): ReadonlyMap<string, SpooledJob> {
    const jobs = new Map<string, SpooledJob>();
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
    for (const name of names.sort()) {
      const root = name.slice(0, -'.json'.length);
      if (!isJobRoot(root)) continue;
      try {
        // We wrote it, in one step.
        jobs.set(root, parseJson(readFileSync(this.#file(root), 'utf8')) as unknown as SpooledJob);
      } catch (error) {
        this.#log.warn('a container job cannot be read and was moved aside', {
          job: root,
          reason: messageOf(error),
        });
        renameSync(this.#file(root), join(this.#folder, `${root}.unreadable`));
      }
    }
    return jobs;
  }

  #file(root: string): string {
    return join(this.#folder, `${root}.json`);
  }
}

/**
 * What a record alone tells of a container job that was scheduled; undefined for another record.
 * @param byImage whether a manager image that the record names is to be used
 */
export function spooledFromRecord(record: TreeNode, byImage: boolean): SpooledJob | undefined {
  const text = (...path: readonly string[]) => {
    const value = record.cat(path);
    return typeof value === 'string' ? value : '';
  };
  const service = text('container', 'manager', 'env', 'serviceName');
  const container = record.node(['container'])?.toJson();
  if (!isContainerRecord(record) || service === '' || !isJsonObject(container)) return undefined;
  const [image, app] = [text('container', 'manager', 'image'), text('container', 'manager', 'app')];
  const [cmd, auid, jid] = [text('cmd'), text('auid'), text('jid')];
  return {
    job: { meta: {}, container, cmdMgr: '', cmd, auid, jid },
    request: { service, image: text('container', 'target', 'image'), cmd, labels: {}, options: {} },
    ...(byImage && image !== '' ? { manager: { image, app: app || 'swarm.py' } } : {}),
    stage: 'scheduled',
  };
}
