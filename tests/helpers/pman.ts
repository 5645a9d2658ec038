import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { eventually } from './eventually.ts';
import type { Answer } from './http.ts';
import type { TestServer } from './startServer.ts';

/** What a test looks at of pman's reply. */
export interface Reply {
  readonly status: unknown;
  readonly d_ret?: unknown;
  readonly GET?: unknown;
  readonly error?: { readonly code: unknown; readonly message: string; readonly hint?: string };
}

/** What `result` says of one job. */
export interface JobResult {
  readonly jobRoot: string;
  readonly status: string;
  readonly cmd: readonly string[];
  readonly returncode: ReadonlyArray<number | null>;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly cause: ReadonlyArray<string | null>;
}

export const command = (action: string, meta: object) => ({ payload: { action, meta } });

export const replyOf = (answer: Answer | null): Reply => {
  if (answer === null) throw new Error('the connection closed without an answer');
  return answer.json() as Reply;
};

/** Sends an action and gives its answer, head and all. */
export function act(server: TestServer, action: string, meta: object): Promise<Answer> {
  return server.request('POST', '/api/v1/cmd', { body: command(action, meta) });
}

/** Has a command run and does not wait for its end; gives the jid. */
export async function runJob(
  server: TestServer,
  cmd: string,
  {
    jid = `job-${randomUUID()}`,
    ...meta
  }: { readonly jid?: string; readonly [key: string]: unknown } = {},
): Promise<string> {
  const reply = await server.post('run', { cmd, auid: 'tester', jid, threaded: true, ...meta });
  expect(reply.status).toBe(true);
  return jid;
}

/** What pman knows of the jobs with that jid, oldest first. */
export async function resultsOf(server: TestServer, jid: string): Promise<readonly JobResult[]> {
  const reply = await server.post('result', { key: 'jid', value: jid });
  return Object.values((reply.d_ret ?? {}) as Record<string, JobResult>);
}

export async function resultOf(server: TestServer, jid: string): Promise<JobResult> {
  const [first] = await resultsOf(server, jid);
  if (first === undefined) throw new Error(`there is no job ${jid}`);
  return first;
}

export async function statesOf(server: TestServer, jid: string): Promise<readonly string[]> {
  const { d_ret } = await server.post('status', { key: 'jid', value: jid });
  return (d_ret as { l_status: string[] }).l_status;
}

/** Waits until the job has ended and gives what is known of it. */
export function untilEnded(
  server: TestServer,
  jid: string,
  timeoutMs = 60_000,
): Promise<JobResult> {
  return eventually(
    async () => {
      const result = await resultOf(server, jid);
      return ['notstarted', 'started'].includes(result.status) ? undefined : result;
    },
    { timeoutMs, message: `job ${jid} to end` },
  );
}

/** A file in the server's working directory that a job waits for; see `holding`. */
export interface Gate {
  /** A shell command that ends when the gate opens. */
  readonly wait: string;
  open(): void;
}

export function makeGate(server: TestServer, name = `gate-${randomUUID()}`): Gate {
  const file = join(server.folders.cwd, name);
  return {
    wait: `until [ -e '${file}' ]; do sleep 0.02; done`,
    open: () => writeFileSync(file, ''),
  };
}

/** Fails when a server with one listener has lost it: nothing that a client sent, nor a run that goes on, may keep it. */
export async function expectListener(server: TestServer): Promise<void> {
  const gate = makeGate(server);
  const jid = `waiter-${randomUUID()}`;
  const waiting = server.post('run', { cmd: gate.wait, auid: 'tester', jid });
  try {
    await eventually(async () => (await statesOf(server, jid))[0] === 'started', {
      message: 'the listener to answer while a run goes on',
    });
  } finally {
    gate.open();
  }
  expect((await waiting).status).toBe(true);
}

/** Stops a server, and the runner that would wait some seconds for the next one. */
export async function endServer(server: TestServer): Promise<void> {
  await server.stop();
  server.endJobs();
}

/** Resident memory of a process, in MiB. */
export function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

export const isRunning = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}`)) return false;
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
};
