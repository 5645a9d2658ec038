import { randomUUID } from 'node:crypto';
import { compactStamp, stampTime } from '../host/stamps.ts';

/** `<YYYYMMDDhhmmss.ffffff>_<uuid>`, local time of registration (protocol b). */
export const JOB_ROOT = /^\d{14}\.\d{1,6}_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Local time goes back when summer time ends, when the zone changes and when a clock is set. So the last 13 digits of the uuid
 * hold the order: microseconds since 1970, and always more than those of every job before. The uuid says so: it is of
 * version 8 (RFC 9562). One of the original's is of version 4 and holds nothing: its stamp is all there is.
 */
const ORDERED = /_[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{2}([0-9a-f])-([0-9a-f]{12})$/;
const ORDER_DIGITS = 13;
const MAX_ORDER = 16 ** ORDER_DIGITS - 1;

const SECOND = 1e6;
/** Zones are so far apart, or a multiple of it, in microseconds. */
const ZONES_STEP = 15 * 60 * SECOND;
/** No two zones are further apart, in microseconds. */
const ZONES_APART = 26 * 3600 * SECOND;

/** Whether a name is that of a job root, as pman and the original make them. */
export function isJobRoot(name: string): boolean {
  return JOB_ROOT.test(name);
}

/** The place of a job among all jobs, as a number; about when it was accepted, in microseconds since 1970. */
export function orderOf(root: string): number {
  const [, first, rest] = ORDERED.exec(root) ?? [];
  return first === undefined ? stampOf(root) : Number.parseInt(`${first}${rest}`, 16);
}

/** Compares two job roots: the one that was accepted first comes first. */
export function byOrder(a: string, b: string): number {
  return orderOf(a) - orderOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Job roots in the order in which they were accepted. */
export function inOrder(roots: readonly string[]): string[] {
  // Each name is read once: there may be a hundred thousand.
  const known = roots.map((root) => ({ root, order: orderOf(root) }));
  known.sort((a, b) => a.order - b.order || (a.root < b.root ? -1 : 1));
  return known.map(({ root }) => root);
}

/**
 * When a job was accepted, in milliseconds since 1970; never behind its place in the order. The stamp is local time and does not
 * say of which zone, and the order is that time, unless it was made up: a clock that was ahead for a while has left an
 * order that later jobs have to be behind. Then the stamp is taken for one of the present zone.
 */
export function acceptedAt(root: string): number {
  const order = orderOf(root);
  if (!ORDERED.test(root) || isTime(order, root)) return order / 1000;
  return Math.min(order, stampOf(root)) / 1000;
}

/** Whether the order of a job is the time of its stamp, in whatever zone: all are whole quarters of an hour apart. */
function isTime(order: number, root: string): boolean {
  const point = root.indexOf('.');
  const [minute, second] = [root.slice(point - 4, point - 2), root.slice(point - 2, point)];
  const micros = Number(root.slice(point + 1, root.indexOf('_')).padEnd(6, '0'));
  return isTimeOf(order, Number(minute) * 100 + Number(second), micros);
}

/**
 * The same by the numbers in a stamp.
 * @param clock what the digits of its minute and second are as one number, or those of all of it
 */
export function isTimeOf(order: number, clock: number, micros: number): boolean {
  const minute = Math.floor(clock / 100) % 100;
  const within = ((minute % 15) * 60 + (clock % 100)) * SECOND + micros;
  return order % ZONES_STEP === within;
}

/** The beginning of the uuid in a job root, by which people call the job. */
export function uuidOf(root: string): string {
  return root.slice(root.indexOf('_') + 1);
}

/** By how many characters of the uuid people call a job. */
const CALLED = 6;

const stampOf = (root: string) => Math.round(stampTime(root.slice(0, root.indexOf('_'))) * 1000);

/** In whole microseconds: a fraction of a millisecond is no exact number. */
let lastStamp = 0;
let lastOrder = 0;

/**
 * There is a job in this place: those that are made from now on come behind it.
 * @param isOurs whether its uuid says so
 */
export function goOnBehind(order: number, isOurs: boolean): void {
  // A stamp that was made up may be of any time.
  const isBelieved = isOurs || order < Date.now() * 1000 + ZONES_APART;
  if (isBelieved && order < MAX_ORDER) lastOrder = Math.max(lastOrder, order);
}

/**
 * A new name for a job root: `<compact stamp>_<uuid>`. Two jobs of one moment get stamps a microsecond apart. A clock that is
 * set back shows in the stamps, and not in the order.
 * @param epochMs now, with fractions
 * @param isTaken whether the uuid of a job begins so: people call jobs by that, so a new one begins in another way
 */
export function newJobRoot(
  epochMs: number,
  isTaken: (beginning: string) => boolean = () => false,
): string {
  const now = Math.round(epochMs * 1000);
  const isSameMoment = now <= lastStamp && lastStamp - now < SECOND;
  lastStamp = isSameMoment ? lastStamp + 1 : now;
  lastOrder = Math.max(lastStamp, lastOrder + 1);
  let uuid = uuidWith(lastOrder);
  // With millions of jobs there may be none left.
  for (let tries = 0; tries < 20 && isTaken(uuid.slice(0, CALLED)); tries += 1) {
    uuid = uuidWith(lastOrder);
  }
  return `${compactStamp(lastStamp / 1000)}_${uuid}`;
}

function uuidWith(order: number): string {
  const digits = order.toString(16).padStart(ORDER_DIGITS, '0');
  // One of version 4 has the variant and random digits where they are wanted; Node draws many at a time.
  const random = randomUUID();
  const [beginning, version] = [random.slice(0, 13), `8${random.slice(15, 18)}`];
  return `${beginning}-${version}-${random.slice(19, 22)}${digits.slice(0, 1)}-${digits.slice(1)}`;
}
