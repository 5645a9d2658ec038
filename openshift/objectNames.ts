import { createHash } from 'node:crypto';
import { nameRefused, type Owner } from '../lib/jobs/container/engine.ts';
import type { KubeObject } from './objects.ts';

/** Labels and annotations that say whose work an object is. Labels find it, annotations hold any text. */
const PREFIX = 'pman.fnndsc.org/';
/** The label of the original: what pman has made, whichever one it was. */
export const ORIGIN = { key: 'job-origin', value: 'pman' } as const;
/** The name of the Job that a pod belongs to. */
export const NAME_LABEL = `${PREFIX}name`;
const INSTANCE_LABEL = `${PREFIX}instance`;
/** The name that the client gave. */
const NAME_NOTE = `${PREFIX}name`;
const JOB_NOTE = `${PREFIX}job`;
const JID_NOTE = `${PREFIX}jid`;
const AUID_NOTE = `${PREFIX}auid`;
const INSTANCE_NOTE = `${PREFIX}instance`;
/** Labels of a request that are none for Kubernetes, as JSON. */
export const LABELS_NOTE = `${PREFIX}labels`;
/** What a pod is to read: the cluster makes a file of it, without a right or an object more. */
export const INPUT_NOTE = `${PREFIX}stdin`;
/** Why pman has ended it, in words. */
export const ENDED_NOTE = `${PREFIX}ended`;

/** A pod's name and its host name are made of it: these have 63 characters at most, with an index and five more. */
const LONGEST = 52;
const LEGAL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const HASH_DIGITS = 12;
const LONGEST_NAME = 253;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_NAME = /^[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * The name of the Job for a client's name: that itself where Kubernetes takes it, else one made of its letters and a hash, so
 * that different names stay different. The same for the same name, always.
 */
export function objectName(name: string): string {
  if (name.length <= LONGEST && LEGAL.test(name)) return name;
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST - HASH_DIGITS - 1)
    .replace(/^-+|-+$/g, '');
  return `${letters || 'job'}-${hash(name)}`;
}

/** @throws BadRequestError for what no client can mean as a name */
export function refuseName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (name === '' || name.length > LONGEST_NAME || /[\u0000-\u001f\u007f/]/.test(name)) {
    throw nameRefused(
      name,
      `1 to ${LONGEST_NAME} characters, none of them "/" or a control character`,
    );
  }
}

/** What the objects of some work carry. */
export function ownerMarks(name: string, owner: Owner) {
  const { job, jid, auid, instance } = owner;
  return {
    labels: {
      [ORIGIN.key]: ORIGIN.value,
      [NAME_LABEL]: objectName(name),
      [INSTANCE_LABEL]: labelValue(instance),
    },
    annotations: {
      ...{ [NAME_NOTE]: name, [JOB_NOTE]: job, [JID_NOTE]: jid },
      ...{ [AUID_NOTE]: auid, [INSTANCE_NOTE]: instance },
    },
  };
}

/** The client's name of the work that an object belongs to; undefined when pman has not made it. */
export function nameOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations[NAME_NOTE];
}

/** Whose work an object is, as far as it says. */
export function ownerOf({ metadata }: KubeObject) {
  return { job: metadata.annotations[JOB_NOTE], instance: metadata.annotations[INSTANCE_NOTE] };
}

/** Whether Kubernetes takes this as a label. */
export function isLabel(key: string, value: string): boolean {
  const [name = '', prefix] = key.split('/').reverse();
  return (
    key.split('/').length <= 2 &&
    LABEL_NAME.test(name) &&
    (prefix === undefined || LABEL_PREFIX.test(prefix)) &&
    LABEL_VALUE.test(value)
  );
}

/** A value for a label: the text itself, or its hash where that is no legal value. */
function labelValue(text: string): string {
  return LABEL_VALUE.test(text) ? text : `h-${hash(text)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}
