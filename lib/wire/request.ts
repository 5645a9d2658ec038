import { z } from 'zod';
import { BadRequestError, PmanError } from '../errors.ts';
import {
  isJsonObject,
  isLargerThan,
  isTruthy,
  type JsonObject,
  type JsonValue,
  MAX_JSON_DEPTH,
} from './json.ts';
import { problemsText } from './problems.ts';

/** What every action gets to see of a request: its name and its `meta`, as sent. */
export interface Command {
  readonly action: string;
  readonly rawMeta: JsonObject;
  /** Answer at once, work on behind (protocol a.5). */
  readonly threaded: boolean;
}

/**
 * Takes the command out of the envelope `{"payload": {"action": …, "meta": {…}}}` (protocol a.3).
 * Other keys, beside and inside the payload, are ignored.
 * @throws BadRequestError naming the first thing that is missing or of the wrong type
 */
export function parseEnvelope(body: JsonValue): Command {
  return parseCommand(payloadIn(body), 'payload.');
}

/**
 * The name of the action in an envelope, whose `meta` does not matter: that of a verb which does not dispatch.
 * @throws BadRequestError as parseEnvelope does
 */
export function actionIn(body: JsonValue): string {
  return actionOf(payloadIn(body), 'payload.');
}

function payloadIn(body: JsonValue): JsonObject {
  if (!isJsonObject(body)) throw new BadRequestError('the body is not a JSON object', ENVELOPE);
  const payload = body.payload;
  if (payload === undefined) throw new BadRequestError('the body has no "payload"', ENVELOPE);
  if (!isJsonObject(payload)) throw new BadRequestError('"payload" is not an object', ENVELOPE);
  return payload;
}

/**
 * A bare command, as a directive file holds it (protocol d).
 * @param where prefix of the field names in messages
 */
export function parseCommand(command: JsonObject, where = ''): Command {
  const action = actionOf(command, where);
  const { meta } = command;
  if (meta === undefined) throw new BadRequestError(`"${where}meta" is missing`, ENVELOPE);
  if (!isJsonObject(meta)) throw new BadRequestError(`"${where}meta" is not an object`, ENVELOPE);
  return { action, rawMeta: meta, threaded: isTruthy(meta.threaded) };
}

function actionOf({ action }: JsonObject, where: string): string {
  if (action === undefined) throw new BadRequestError(`"${where}action" is missing`, ENVELOPE);
  if (typeof action === 'string') return action;
  throw new BadRequestError(`"${where}action" is not a string`, ENVELOPE);
}

const ENVELOPE = { hint: 'the form is {"payload": {"action": "<name>", "meta": {…}}}' };

/**
 * Checks an action's `meta` against its schema, and returns the members that the schema names.
 * @throws BadRequestError naming the field, what it has to be, and what came
 */
export function parseMeta<S extends z.ZodType>(
  schema: S,
  { action, rawMeta }: Command,
): z.infer<S> {
  const result = schema.safeParse(knownMembers(schema, rawMeta));
  if (result.success) return result.data;
  const problems = problemsText(result.error.issues, (issue) => {
    const field = issue.path.length > 0 ? `"meta.${issue.path.join('.')}"` : '"meta"';
    return `${field}: ${issue.message}`;
  });
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  throw new BadRequestError(
    `${action}: ${problems}`,
    names.length === 0 ? {} : { hint: `"meta" of ${action} may have ${names.join(', ')}` },
  );
}

/**
 * The members that a schema names. Of the others there may be a hundred thousand: no action looks at them, and to check and
 * copy them holds up other requests.
 */
function knownMembers(schema: z.ZodType, meta: JsonObject): JsonObject {
  if (!(schema instanceof z.ZodObject)) return meta;
  let names = namesOf.get(schema);
  if (names === undefined) {
    names = Object.keys(schema.shape);
    namesOf.set(schema, names);
  }
  const known: { [name: string]: JsonValue } = {};
  for (const name of names) {
    if (Object.hasOwn(meta, name)) known[name] = meta[name] ?? null;
  }
  return known;
}

const namesOf = new WeakMap<z.ZodObject, readonly string[]>();

/** How much an action takes that keeps what it is sent. */
export interface MetaLimits {
  /** Of all texts in `meta` together. */
  readonly maxCharacters: number;
  readonly maxValues: number;
}

/** Of what is kept with a job. */
export const KEPT_LIMITS: MetaLimits = { maxCharacters: 2 * 1024 * 1024, maxValues: 10_000 };

/** @throws PmanError payload_too_large */
export function requireSmallMeta({ action, rawMeta }: Command, limits: MetaLimits): void {
  if (!isLargerThan(rawMeta, limits)) return;
  const { maxCharacters, maxValues } = limits;
  throw new PmanError(
    'payload_too_large',
    `${action}: "meta" has more than ${maxCharacters} characters or ${maxValues} values`,
    { hint: 'put long data into a file that the job reads' },
  );
}

/** A schema for a required field of any JSON type. */
export const anyJson = z.custom<JsonValue>((value) => value !== undefined, 'is missing');

/** A schema for what is to be done with the database. What is no string names nothing, and nothing is done (protocol a.7). */
export const operationName = anyJson.transform((value) => (typeof value === 'string' ? value : ''));

/** The longest command line, key or path, in characters. */
const MAX_TEXT = 1024 * 1024;

/** A schema for a string without the one character that no path and no argument can hold. */
export const text = z
  .string({ error: (issue) => (issue.input === undefined ? 'is missing' : 'is not a string') })
  .max(MAX_TEXT, `is longer than ${MAX_TEXT} characters`)
  .refine((value) => !value.includes('\0'), 'holds a NUL character');

/** The longest path in a tree: as many names as a reply may nest, each of 255 bytes and a "/". */
const MAX_TREE_PATH = MAX_JSON_DEPTH * 256;

/** A schema for a path in a tree, or for a piece of one. Empty pieces mean nothing, and are left out: each takes its time. */
export const treePath = text
  .max(MAX_TREE_PATH, `is longer than ${MAX_TREE_PATH} characters`)
  .transform((path) => path.replace(/\/{2,}/g, '/'));

/** The same for what a program gets, as UTF-8: half of a character of two has none, and would become another one. */
export const programText = text.refine(isWhole, 'holds half of a character (a lone surrogate)');

/** Whether a text has no half of a character of two in it. */
export function isWhole(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}

const wholeNumber = z
  .number('is not a number')
  .int('is not a whole number')
  .max(1e9, 'is too large');

/** The page of jobs that an answer tells of: at most `limit`, without the first `offset` ones. */
export const pageFields = {
  limit: wholeNumber.min(1, 'is less than 1').optional(),
  offset: wholeNumber.min(0, 'is less than 0').optional(),
} as const;
export type PageMeta = { readonly [K in keyof typeof pageFields]?: number | undefined };

/** A value is compared as it would be written, so a long one would take its time. No job has one. */
const searchValue = anyJson.refine(
  (value) => !isLargerThan(value, KEPT_LIMITS),
  `has more than ${KEPT_LIMITS.maxCharacters} characters or ${KEPT_LIMITS.maxValues} values`,
);

/** `key` and `value`: the search that several actions share. */
export const keyAndValue = { key: treePath, value: searchValue } as const;

/** The search of status, done, info, search and result, with a page of its hits. */
export const searchMeta = z.looseObject({ ...keyAndValue, ...pageFields });
export type SearchMeta = z.infer<typeof searchMeta>;
