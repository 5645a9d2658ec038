import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Consumer, installedPackage } from '../helpers/installed.ts';

const page = readFileSync('docs/modules.md', 'utf8');

/** The examples of the page by their headings, and what they print. */
const examples = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [, program = '', printed = ''] =
      /^```ts\n([\s\S]*?)```\n(?:\n```\n([\s\S]*?)```\n)?/m.exec(section) ?? [];
    return [section.split('\n')[0] ?? '', program, printed] as const;
  });

/** What belongs to the whole process. */
const PROCESS_STATE = `
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGCHLD', 'SIGPIPE', 'SIGTSTP', 'uncaughtException', 'exit'];
const seen = new Set<string>();
const env = process.env;
const state = () => JSON.stringify([
  signals.map((name) => process.listenerCount(name)),
  [process.exitCode, process.cwd(), process.umask(), { ...env }],
]);
const before = state();
process.exit = (() => { throw new Error('process.exit was called'); }) as typeof process.exit;
process.chdir = () => { throw new Error('process.chdir was called'); };
`;

describe('the installed package', () => {
  let installed: string;
  beforeAll(() => {
    installed = installedPackage();
  });

  it('has an example of each module', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: object };
    const names = Object.keys(exports).filter((name) => name !== './package.json');
    for (const name of names) expect(page).toContain(`\`pman${name.slice(1)}\``);
    expect(examples.map(([name]) => name)).toHaveLength(5);
  });

  it.each(examples)('runs the example of %s as it stands', (heading, program, printed) => {
    const consumer = new Consumer(installed, heading.split(' ')[0] ?? '', program);
    expect(consumer.problems('node')).toBe('');
    expect(consumer.run()).toEqual({ status: 0, stdout: printed, stderr: '' });
  });

  it('leaves the process alone, hands no variable to jobs, and tells all to a logger', () => {
    const program = `
import { startServer } from 'pman';
import { PmanClient } from 'pman/client';
import { startFileServer } from 'pman/pfioh';
${PROCESS_STATE}
env.SECRET = 'x';
const during = state();
const lines: string[] = [];
const say = (level: string) => (message: string, fields?: object) => {
  lines.push(\`\${level} \${message} \${JSON.stringify(fields ?? {})}\`);
};
const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
const one = await startServer({ DBpath: './one', port: 0, logger, listeners: 2, allowOrigin: ['http://a.example', 'http://b.example'] });
const two = await startServer({ DBpath: './two', port: 0, env: { GIVEN: 'given' } });
const files = await startFileServer({ storeBase: '.', port: 0, logger });
const outputs = [];
for (const { address } of [one, two]) {
  const client = new PmanClient(address);
  const job = await client.run('echo "$SECRET,$GIVEN"');
  await client.wait(job);
  outputs.push(await client.text(job));
}
const same = state() === during;
const twice = await startServer({ DBpath: './one', port: 0 }).catch((error) => error.code);
const wrong = await startServer({ DBpath: './three', port: -1 }).catch((error) => [error.code, error.message]);
const failure = (started: Promise<unknown>) => started.then(() => 'started', (error) => error.code + ': ' + error.message);
// Not as TypeScript has it: a program of JavaScript may say anything.
const names = await Promise.all([
  failure(startServer(JSON.parse('{"port": 0}'))),
  failure(startServer(JSON.parse('{"DBpath": "./four", "prot": 1}'))),
  failure(startFileServer(JSON.parse('{"port": 0}'))),
  failure(startFileServer(JSON.parse('{"storeBase": ".", "creat": true}'))),
]);
const noStore = await startFileServer({ storeBase: './nothing', port: 0 }).catch((error) => error.code);
const listening = await startFileServer({ storeBase: '.', port: files.port }).catch((error) => error.code);
const ended = one.closed.then(() => 'ended');
await fetch(one.address + '/api/v1/cmd', { method: 'POST', body: JSON.stringify({ payload: { action: 'quit', meta: { saveDB: true } } }) });
const quit = await ended;
await Promise.all([one.close({ endJobs: true }), two.close({ endJobs: true }), files.close()]);
delete env.SECRET;
console.log(JSON.stringify({ names, outputs, same, twice, wrong, noStore, listening, quit, after: state() === before }));
console.log(lines.some((line) => line.startsWith('info started')), lines.some((line) => line.includes('component')));
`;
    const consumer = new Consumer(installed, 'alone', program);
    expect(consumer.problems('node')).toBe('');
    const { status, stdout, stderr } = consumer.run();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [said = '', logged] = stdout.trim().split('\n');
    expect(JSON.parse(said)).toEqual({
      ...{ outputs: [',\n', ',given\n'], same: true, after: true, quit: 'ended' },
      ...{ twice: expect.any(String), noStore: 'usage', listening: 'usage' },
      names: [
        ...[
          'usage: the setting DBpath is missing',
          'usage: there is no setting "prot"; is port meant?',
        ],
        ...['usage: the setting storeBase is missing', 'usage: there is no setting "creat"'],
      ],
      wrong: ['usage', expect.stringContaining('--port "-1" is not between 0 and 65535')],
    });
    expect(logged).toBe('true true');
  });

  it('has types for the client that a page can use', () => {
    const program = `
import { type Job, PmanClient, PmanClientError } from 'pman/client';
const client = new PmanClient({ url: location.origin, token: () => localStorage.getItem('token') ?? '' });
const job: Job = await client.run({ command: 'true', env: { A: '1' } });
for await (const { text, stream } of client.follow(job)) document.body.append(stream, text);
for await (const { type, seq } of client.events({ after: 3, type: ['ended'] })) console.log(type, seq);
for await (const one of client.jobs({ state: ['running', 'waiting'], limit: 10 })) console.log(one.exitCode ?? 0);
// @ts-expect-error a job has a command
await client.run({ comand: 'true' });
// @ts-expect-error there is no such state
client.jobs({ state: ['done'] });
// @ts-expect-error states are texts
if (job.state === 7) throw new PmanClientError('x', 'y');
export {};
`;
    expect(new Consumer(installed, 'page', program).problems('dom')).toBe('');
  });
});
