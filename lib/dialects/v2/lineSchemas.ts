import { z } from 'zod';
import { limit, MOST_NUMBER, seconds, wholeNumber } from './schemaParts.ts';

const outputLineSchema = z
  .object({
    line: z.int().min(1).meta({ description: 'Its number. It does not change.' }),
    stream: z.enum(['stdout', 'stderr']),
    part: z.int(),
    time: z.iso.datetime().optional().meta({
      description: 'When its first byte was seen, where that is known.',
    }),
    text: z.string().meta({
      description:
        'Without the newline; of a long line the beginning, or what its last `\\r` has begun. What is no UTF-8 is replaced.',
    }),
    bytes: z.int().optional().meta({
      description: 'How long all of it is, where `text` is not all.',
    }),
    open: z.literal(true).optional().meta({ description: 'It has no newline yet.' }),
  })
  .meta({ id: 'OutputLine' });

export const linesQuerySchema = z.strictObject({
  from: z
    .string()
    .regex(/^-?\d{1,15}$/, 'is not a whole number')
    .transform((value) => Number(value) || 1)
    .pipe(z.int().min(-MOST_NUMBER).max(MOST_NUMBER))
    .default(1)
    .meta({ description: 'The first line, from 1 on, as is 0; `-200`: the last 200.' }),
  count: wholeNumber.pipe(z.int().min(0).max(5000)).default(200).meta({
    description: 'The most lines. There may be fewer: an answer has at most 256 KiB of text.',
  }),
  lineBytes: limit(16 * 1024 * 1024)
    .default(4096)
    .meta({ description: 'How much is told of a line, in bytes.' }),
  after: wholeNumber.optional().meta({
    description: 'With `wait`: answers once there are more bytes, or nothing more comes.',
  }),
  wait: seconds.pipe(z.number().min(0).max(60)).optional().meta({ description: 'As `30s`.' }),
});

export const outputLinesSchema = z
  .object({
    lines: z.array(outputLineSchema),
    open: z.array(outputLineSchema).meta({
      description: 'The lines without a newline, as they are now: they may have grown.',
    }),
    total: z.int().meta({ description: 'How many lines are known.' }),
    bytes: z.int().meta({ description: 'How many bytes are known, of all outputs.' }),
    whole: z.boolean().meta({
      description: 'Whether that is all there is now; false: a large output is still being read.',
    }),
    ended: z.boolean().meta({ description: 'Whether nothing more comes.' }),
  })
  .meta({ id: 'OutputLines' });

const MOST_TEXT = 1000;

export const findQuerySchema = z.strictObject({
  text: z.string().min(1).max(MOST_TEXT).optional().meta({
    description: 'Finds the lines that have it.',
  }),
  regex: z.string().min(1).max(MOST_TEXT).optional().meta({
    description: 'Finds the lines that fit an expression of JavaScript.',
  }),
  stream: z.enum(['stdout', 'stderr']).optional().meta({
    description: 'Only lines of this output; without `text` and `regex`, all of them.',
  }),
  ignoreCase: z.enum(['0', '1', 'true', 'false']).optional(),
  from: wholeNumber.default(1).meta({ description: 'The first line that is looked at.' }),
  limit: limit(100_000).default(1000),
});

export const foundLinesSchema = z
  .object({
    lines: z.array(z.int()).meta({ description: 'The numbers of the lines, in order.' }),
    ranges: z.array(z.array(z.int()).length(2)).optional().meta({
      description:
        'With `regex`: for each of the lines, where it fits first: from a character to before another, as JavaScript counts them, of the line without orders to a terminal.',
    }),
    searched: z.int().meta({
      description: 'Up to which line was looked: to go on, `from` has to be the next one.',
    }),
    whole: z.boolean().meta({
      description:
        'Whether these are all: neither the limit nor three seconds have ended the search.',
    }),
  })
  .meta({ id: 'FoundLines' });
