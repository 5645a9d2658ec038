import { z } from 'zod';
import { ENGINE_NAMES } from '../../jobs/capabilities.ts';
import { enforcerSchema } from './jobSchema.ts';
import { limitsSchema } from './serverLimits.ts';

export const capabilitiesSchema = z
  .object({
    backends: z.array(
      z.object({
        name: z.enum(['host', ...ENGINE_NAMES]),
        runs: z.array(z.enum(['command', 'ssh', 'image'])),
        takes: z.array(z.string()).meta({ description: 'The members that a job may have here.' }),
        takesOverSsh: z.array(z.string()).optional().meta({
          description: 'Those of a job that another host runs by ssh; absent where none does.',
        }),
        separateOutputs: z
          .boolean()
          .meta({ description: 'Whether stdout and stderr are apart; else all counts as stdout.' }),
        passesSignals: z
          .boolean()
          .meta({ description: 'Whether a job can be sent a signal and go on.' }),
      }),
    ),
  })
  .meta({ id: 'Capabilities' });

export const serverSchema = z
  .object({
    version: z.string(),
    startedAt: z.iso.datetime({ precision: 3 }),
    uptimeSeconds: z.number(),
    jobs: z.object({
      running: z.int(),
      waiting: z.int(),
      recorded: z.int().meta({ description: 'All that the caller may see.' }),
    }),
    disk: z.object({
      freeBytes: z.number(),
      totalBytes: z.number(),
      problem: z.string().nullable().meta({ description: 'Why records cannot be written now.' }),
    }),
    events: z.object({ oldest: z.int(), newest: z.int() }),
    backends: z.array(z.enum(['host', ...ENGINE_NAMES])),
    limits: limitsSchema,
    limitedBy: z
      .object({ memory: enforcerSchema, cpu: enforcerSchema, processes: enforcerSchema })
      .meta({ description: 'What holds jobs of this host to limits of each kind.' }),
  })
  .meta({ id: 'Server' });
