import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkout } from '../helpers/startServer.ts';

const pairs = z.array(z.tuple([z.string(), z.string()]));

const requestSchema = z.object({
  method: z.string().optional(),
  path: z.string().optional(),
  headers: pairs.optional(),
  body: z.string().nullable().optional(),
  segments: z.array(z.number()).optional(),
  raw: z.string().optional(),
  directiveFile: z.unknown().optional(),
});

const engineCallSchema = z.object({
  path: z.string(),
  body: z
    .looseObject({
      Image: z.string(),
      Cmd: z.array(z.string()),
      HostConfig: z.looseObject({ Binds: z.array(z.string()) }),
    })
    .nullable(),
});

const serverCaseSchema = z.object({
  name: z.string(),
  server: z.object({
    id: z.string(),
    program: z.string(),
    flags: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    files: z.record(z.string(), z.string()).optional(),
  }),
  before: z
    .looseObject({
      waitJobDone: z.string().optional(),
      afterMs: z.number().optional(),
      runJob: z.looseObject({}).optional(),
      sameConnectionAsPrevious: z.boolean().optional(),
      managerState: z.unknown().optional(),
      appLogs: z.string().optional(),
      jobStatusInCluster: z.unknown().optional(),
      jobInCluster: z.boolean().optional(),
    })
    .optional(),
  request: requestSchema,
  response: z.object({ statusLine: z.string(), headers: pairs, body: z.unknown() }).nullable(),
  connection: z.enum(['open', 'closed', 'reset']).optional(),
  effect: z.record(z.string(), z.unknown()).optional(),
  originalBug: z.string().optional(),
  dockerApi: z.array(engineCallSchema).optional(),
  kubeApi: z
    .array(z.object({ method: z.string(), path: z.string(), body: z.unknown() }))
    .optional(),
});

const commandCaseSchema = z.object({
  name: z.string(),
  program: z.string(),
  args: z.array(z.string()),
  exitCode: z.union([z.number(), z.literal('hangs')]),
  stdout: z.string(),
  stderr: z.string(),
  effect: z.record(z.string(), z.unknown()).optional(),
  originalBug: z.string().optional(),
});

export type RecordedRequest = z.infer<typeof requestSchema>;
export type ServerCase = z.infer<typeof serverCaseSchema>;
export type CommandCase = z.infer<typeof commandCaseSchema>;

function read(file: string): unknown {
  const path = join(checkout, 'tests/golden/transcripts', `${file}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The cases of a file, one list for each server they were sent to, in order. */
export function serverCases(file: string): ServerCase[][] {
  const sessions = new Map<string, ServerCase[]>();
  for (const recorded of z.array(serverCaseSchema).parse(read(file))) {
    const session = sessions.get(recorded.server.id) ?? [];
    sessions.set(recorded.server.id, [...session, recorded]);
  }
  return [...sessions.values()];
}

/** The command lines of a file. */
export function commandCases(file: string): CommandCase[] {
  return z.array(commandCaseSchema).parse(read(file));
}

/** The action and meta that a recorded request asks for; empty when its body is not an envelope. */
export function payloadOf(recorded: ServerCase): {
  readonly action?: unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
} {
  const envelope = z.object({
    payload: z.object({ action: z.unknown(), meta: z.record(z.string(), z.unknown()) }),
  });
  const body = recorded.request.body ?? '';
  const parsed = body.startsWith('{') ? envelope.safeParse(parseOr(body)) : undefined;
  return parsed?.success ? parsed.data.payload : {};
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // some cases are about bodies that are not JSON
  }
}
