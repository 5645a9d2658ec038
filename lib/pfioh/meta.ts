import { z } from 'zod';
import { BadRequestError } from '../errors.ts';
import { describeFaults } from '../transfer/faults.ts';
import { parsePythonLiteral } from '../transfer/pythonLiteral.ts';

const place = z.looseObject({
  path: z.string().min(1).optional(),
  key: z.union([z.string().min(1), z.number().transform(String)]).optional(),
});

const metaSchema = z.looseObject({
  local: z
    .looseObject({
      path: z.string().min(1).optional(),
      /** Permission bits and time of a single file, from our own purl. */
      mode: z.number().int().min(0).max(0o7777).optional(),
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
      checkRemote: z.boolean().optional(),
      /** Whether a check may make the folder; our own purl says no for a pull. */
      createDirs: z.boolean().optional(),
      compress: z
        .looseObject({
          encoding: z.string().optional(),
          archive: z.string().optional(),
          unpack: z.boolean().optional(),
          cleanup: z.boolean().optional(),
        })
        .optional(),
      copy: z.looseObject({ symlink: z.boolean().optional() }).optional(),
      resume: z
        .looseObject({
          id: z.string().regex(/^[0-9a-f]{32}$/),
          offset: z.number().int().min(0).optional(),
        })
        .optional(),
    })
    .optional(),
  specialHandling: z
    .looseObject({ op: z.string().optional(), cleanup: z.boolean().optional() })
    .optional(),
  serviceMan: z.string().optional(),
  ctl: z.looseObject({ serverCmd: z.string().optional() }).optional(),
});

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

/** A JSON message, bare or in a `payload` envelope. @throws BadRequestError */
export function parseControl(text: string): ControlMessage {
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
