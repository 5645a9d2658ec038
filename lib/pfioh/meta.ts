import { z } from 'zod';
import { BadRequestError, PmanError } from '../errors.ts';
import { describeFaults } from '../transfer/faults.ts';
import { type Literal, parsePythonLiteral } from '../transfer/pythonLiteral.ts';
import { requireFewValues } from '../wire/json.ts';
import { REQUEST_LIMITS } from '../wire/payload.ts';

/** A yes or no as Python's clients may write it: 1, "yes", None. */
const flag = z
  .unknown()
  .transform((value) => isTruthy(value as Literal | undefined))
  .optional();

const place = z.looseObject({
  path: z.string().optional(),
  key: z.union([z.string().min(1), z.number().transform(String)]).optional(),
});

const metaSchema = z.looseObject({
  local: z
    .looseObject({
      path: z.string().min(1).optional(),
      /** Permission bits and time of a single file, from our own purl. */
      mode: z.number().int().min(0).max(0o7777).optional(),
      /** How many bytes it has, from our own purl. */
      bytes: z.number().int().min(0).optional(),
      mtimeNs: z
        .string()
        .regex(/^-?\d{1,20}$/)
        .optional(),
    })
    .optional(),
  remote: place.optional(),
  transport: z
    .looseObject({
      mechanism: z.string().optional(),
      checkRemote: flag,
      /** Whether a check may make the folder; our own purl says no for a pull. */
      createDirs: z.boolean().optional(),
      compress: z
        .looseObject({
          encoding: z.string().optional(),
          archive: z.string().optional(),
          unpack: flag,
          cleanup: flag,
        })
        .optional(),
      copy: z.looseObject({ symlink: flag }).optional(),
      /**
       * What of a tree is pulled: places in the list that the action `tree` gives, as long as its tag is right, or its
       * shape where that is said. `goesOn`: a pack may lack what cannot be read, and say so.
       */
      only: z
        .looseObject({
          tag: z.string().regex(/^[0-9a-f]{32}$/),
          shape: z
            .string()
            .regex(/^[0-9a-f]{32}$/)
            .optional(),
          goesOn: z.boolean().optional(),
          places: z.string().regex(/^\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*$/),
        })
        .optional(),
      resume: z
        .looseObject({
          id: z.string().regex(/^[0-9a-f]{32}$/),
          offset: z.number().int().min(0).optional(),
        })
        .optional(),
    })
    .optional(),
  specialHandling: z.looseObject({ op: z.string().optional(), cleanup: flag }).optional(),
  serviceMan: z.string().optional(),
  ctl: z.looseObject({ serverCmd: z.string().optional() }).optional(),
});

/** Truth as Python sees it: empty texts, lists and dictionaries, 0 and None are false. */
function isTruthy(value: Literal | undefined): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  return Object.keys(value).length > 0;
}

/** What a transfer request says about both sides and the way between them. */
export type TransferMeta = z.infer<typeof metaSchema>;
export type Transport = NonNullable<TransferMeta['transport']>;

/** The `meta` of a query: a Python literal or JSON. @throws BadRequestError */
export function parseMetaText(text: string): TransferMeta {
  return checkMeta(parsePythonLiteral(text));
}

/** @throws BadRequestError naming the member that is not as it should be */
export function checkMeta(value: unknown): TransferMeta {
  const { data, error } = metaSchema.safeParse(value);
  if (error === undefined) return data;
  throw new BadRequestError(`the request is not understood: ${describeFaults(error, 'meta')}`, {
    hint: "meta is {'local': {'path': …}, 'remote': {'path' or 'key': …}, 'transport': {…}}",
  });
}

const messageSchema = z.looseObject({
  action: z.string().optional(),
  meta: z.unknown().optional(),
});

export interface ControlMessage {
  readonly action: string;
  /** Undefined when the message has none. */
  readonly meta: unknown;
}

/** The longest JSON message, in characters. Those of real clients have some hundreds. */
const MAX_MESSAGE = 1024 * 1024;

/** A JSON message, bare or in a `payload` envelope. @throws BadRequestError; PmanError payload_too_large */
export function parseControl(text: string): ControlMessage {
  if (text.length > MAX_MESSAGE) {
    throw new PmanError(
      'payload_too_large',
      `the message is longer than ${MAX_MESSAGE} characters`,
    );
  }
  requireFewValues(text, REQUEST_LIMITS);
  let value: unknown;
  try {
    value = JSON.parse(text === '' ? '{}' : text) as unknown;
  } catch (cause) {
    throw new BadRequestError('the message is not JSON', { cause });
  }
  const inner =
    typeof value === 'object' && value !== null && 'payload' in value ? value.payload : value;
  const { data } = messageSchema.safeParse(inner);
  if (data === undefined) throw new BadRequestError('the message is no JSON object with an action');
  return { action: data.action ?? '', meta: data.meta };
}
