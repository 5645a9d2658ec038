import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { Child } from '../../helpers/child.ts';
import { eventually } from '../../helpers/eventually.ts';
import { command } from '../../helpers/pman.ts';
import { builtProgram, makeFolders, type TestServer } from '../../helpers/startServer.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const TOKENS = 'tests/integration/tokens.test.ts';
const PFIOH_TOKENS = 'tests/integration/pfiohTokens.test.ts';

const ROOT = 'root-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const READER = 'read-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const RUNNER = 'runs-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const OLD = 'olds-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const HELLO = command('hello', { askAbout: 'timestamp' });

const INI = `[AUTH TOKENS]
root = ${ROOT}

[TOKEN reader]
value = ${READER}
scopes = read

[TOKEN runner]
value = ${RUNNER}
scopes = read, run
auid = ana
commands = echo *

[TOKEN old]
value = ${OLD}
scopes = read
expires = 2020-01-01
`;

function withTokens<T>(
  attack: (server: TestServer, file: string) => Promise<T>,
  text = INI,
): Promise<T> {
  const folders = makeFolders();
  const file = join(folders.home, 'tokens.cfg');
  writeFileSync(file, text, { mode: 0o600 });
  const flags = ['--enableTokenAuth', '--tokenPath', file];
  return withPman({ folders, flags }, (server) => attack(server, file));
}

const as = (token: string) => ({ Authorization: `Bearer ${token}` });
const statusFor = async (server: TestServer, token: string, body: object) =>
  (await server.request('POST', '/', { headers: as(token), body })).status;

/** How pman ends that is to use a token file of this mode. */
async function startWithMode(mode: number, token = ROOT) {
  const { root, home } = makeFolders();
  const file = join(home, 'tokens');
  writeFileSync(file, `${token}\n`);
  chmodSync(file, mode);
  const flags = ['--port', '0', '--DBpath', join(root, 'db'), '--directiveFile', join(root, 'd')];
  const child = new Child(
    [...builtProgram('pman'), ...flags, '--enableTokenAuth', '--tokenPath', file],
    { cwd: root, env: { ...process.env, HOME: home } },
  );
  await eventually(() => child.exit !== undefined || /listening/.test(child.output.stderr));
  const started = child.exit === undefined;
  if (started) child.kill('SIGTERM');
  await child.exited;
  return { started, said: child.output.stderr };
}

export const tokens: Subject = {
  title: 'tokens',
  attacks: [
    {
      tried: 'to have a refused request repeated: its path, query, headers and body',
      observe: () =>
        withTokens(async (server) => {
          const headers = { 'X-Canary': 'canary', Cookie: 'canary', Authorization: 'canary' };
          const body = JSON.stringify({ payload: { action: 'canary' } });
          for (const path of ['/', '/api/v1/', '/api/v2/jobs/', '/metrics/']) {
            for (const method of ['GET', 'POST', 'PUT', 'OPTIONS', 'CANARY']) {
              const target = `${path}canary?canary=canary`;
              const answer = await server.request(method, target, { headers, body });
              expect(answer.status).toBeGreaterThanOrEqual(400);
              const said = JSON.stringify([answer.statusLine, answer.headers, answer.text]);
              expect([method, target, /canary/i.test(said)]).toEqual([method, target, false]);
            }
          }
          return '401, nothing of it comes back';
        }),
    },
    {
      tried: 'a token file that others can write',
      observe: async () => {
        const { started, said } = await startWithMode(0o606);
        expect([started, said]).toEqual([false, expect.stringContaining('tokens')]);
        return 'pman does not start';
      },
    },
    {
      tried: 'a token file that others can read; a token of ten characters',
      observe: async () => {
        expect((await startWithMode(0o644)).said).toMatch(/warn.*tokens?/);
        expect((await startWithMode(0o600, 'abcdefghij')).said).toMatch(/warn.*token/);
        return 'pman warns';
      },
    },
    {
      tried: 'a hundred wrong tokens in a row from one address',
      observe: () =>
        withTokens(async (server) => {
          const statuses: number[] = [];
          for (let i = 0; i < 100; i += 1) {
            statuses.push(await statusFor(server, `wrong-${i}`, HELLO));
          }
          expect(statuses.lastIndexOf(401)).toBeLessThan(60);
          expect(await statusFor(server, ROOT, HELLO)).toBe(200);
          return `first 401, soon ${statuses.at(-1)}; a right token is let in`;
        }),
    },
    {
      tried: 'a run with a token that may only read',
      observe: () =>
        withTokens(async (server) => {
          const mark = join(server.folders.cwd, 'ran');
          const body = command('run', { cmd: `touch '${mark}'`, auid: 'a', jid: 'j' });
          const statuses = [
            await statusFor(server, READER, body),
            await statusFor(server, READER, command('quit', {})),
            await statusFor(server, READER, command('kill', { key: 'jid', value: 'j' })),
          ];
          expect(await statusFor(server, READER, HELLO)).toBe(200);
          expect([existsSync(mark), server.isRunning]).toEqual([false, true]);
          return `${[...new Set(statuses)].join(', ')}, nothing is done`;
        }),
    },
    {
      tried: 'another auid, another command, another action than the token is for',
      observe: () =>
        withTokens(async (server) => {
          const run = (auid: string, cmd: string) =>
            statusFor(server, RUNNER, command('run', { cmd, auid, jid: 'j', threaded: true }));
          expect(await run('ana', 'echo x')).toBe(200);
          const statuses = new Set([
            await run('bob', 'echo x'),
            await run('ana', 'touch x'),
            await run('ana', 'echo x; touch x'),
            await run('ana', 'echo $(touch x)'),
            await statusFor(server, RUNNER, command('DBctl', { do: 'clear' })),
          ]);
          return `${[...statuses].join(', ')}, nothing runs`;
        }),
    },
    {
      tried: 'a read token, with other verbs, method overrides, and each path of /api/v2',
      observe: () =>
        withTokens(async (server) => {
          const root = await server.request('POST', '/api/v2/jobs', {
            headers: as(ROOT),
            body: { command: 'true' },
          });
          const { id } = root.json() as { readonly id: string };
          const job = `/api/v2/jobs/${id}`;
          const statuses = new Set<number>();
          for (const [method, path] of [
            ['POST', '/api/v2/jobs'],
            ['POST', `${job}/kill`],
            ['DELETE', job],
            ['PUT', '/api/v1/cmd'],
          ] as const) {
            // What is sent is not looked at: it is nobody's who may not do that.
            const options = { headers: as(READER), body: { no: 'such member' } };
            statuses.add((await server.request(method, path, options)).status);
          }
          for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
            const headers = { ...as(READER), [name]: 'DELETE' };
            expect((await server.request('GET', job, { headers })).status).toBe(200);
          }
          expect((await server.request('GET', job, { headers: as(ROOT) })).status).toBe(200);
          return `${[...statuses].join(', ')}; overrides mean nothing`;
        }),
    },
    {
      tried: 'two Authorization headers, of which a proxy may have looked at the other one',
      observe: () =>
        withTokens(async (server) => {
          const statuses = new Set<number>();
          for (const order of [
            [ROOT, 'wrong'],
            ['wrong', ROOT],
            [ROOT, ROOT],
          ]) {
            const headers = order.map((token) => ['Authorization', `Bearer ${token}`] as const);
            statuses.add((await server.request('POST', '/', { headers, body: HELLO })).status);
          }
          return [...statuses].join(', ');
        }),
    },
    {
      tried: 'the Idempotency-Key of a job of another auid, in /api/v2',
      observe: () =>
        withTokens(async (server) => {
          const headers = (token: string) => ({ ...as(token), 'Idempotency-Key': 'k' });
          const submit = (token: string, body: object) =>
            server.request('POST', '/api/v2/jobs', { headers: headers(token), body });
          const first = await submit(ROOT, { command: 'echo canary', auid: 'bob' });
          const { id } = first.json() as { readonly id: string };
          const second = await submit(RUNNER, { command: 'echo canary' });
          expect(second.text).not.toContain(id);
          expect((await submit(RUNNER, { command: 'echo canary', auid: 'bob' })).status).toBe(403);
          return `${second.status}, nothing is told of that job`;
        }),
    },
    {
      tried: 'names with line ends and escapes of terminals, for the log and the audit log',
      observe: async () => {
        const folders = makeFolders();
        const audit = join(folders.root, 'audit.jsonl');
        return withPman({ folders, flags: ['--auditLog', audit] }, async (server) => {
          const name = 'a\nforged\r\u001b[2J\u009b31m\u2028\u202e';
          await server.post('run', { cmd: 'true', auid: name, jid: name, threaded: true });
          await server.post(name, {});
          const shown = await eventually(() => {
            const text = readFileSync(audit, 'utf8');
            return text.split('forged').length > 3 && text + server.output.stderr;
          });
          expect(shown).not.toMatch(/^forged/m);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
          expect(shown).not.toMatch(/[\u001b\u009b\u2028\u202e\r]/);
          return 'they are written as JSON writes them';
        });
      },
    },
    {
      tried: 'a token that has expired, and one that is taken out of the file',
      observe: () =>
        withTokens(async (server, file) => {
          expect(await statusFor(server, READER, HELLO)).toBe(200);
          const expired = await statusFor(server, OLD, HELLO);
          writeFileSync(file, `[AUTH TOKENS]\nroot = ${ROOT}\n`);
          const revoked = await eventually(async () => {
            const status = await statusFor(server, READER, HELLO);
            return status === 200 ? undefined : status;
          });
          return `${expired}, ${revoked}`;
        }),
    },
    {
      tried: 'a token that acts for one auid asks for jobs of others, by whatever it can',
      happens: 'they are not there for it',
      shownBy: [TOKENS, 'finds no job of others, by whatever it asks'],
    },
    {
      tried: 'the key of a job of another auid, to learn of that job',
      happens: 'it is not told which job has the key',
      shownBy: [TOKENS, 'is not told which job of others has its key'],
    },
    {
      tried: 'to go on with a stream, or with a run that waits, after its token was revoked',
      happens: 'both are broken off',
      shownBy: [TOKENS, 'stops at once, with the streams and the waiting runs that it has'],
    },
    {
      tried: 'to read tokens out of the token file, or out of `pman token list`',
      happens: 'they are hashes there, and nothing in the list',
      shownBy: [TOKENS, 'is listed without it, and without its hash'],
    },
    {
      tried: 'many guesses at a token with a slow hash, to hold up the others',
      happens: 'answers that come before are not held up',
      shownBy: [TOKENS, 'holds up no answer that comes before, and mixes up none behind'],
    },
    {
      tried:
        'tokens that pfioh knows, for what their scopes do not have; guesses; one revoked in a pull',
      happens: '403; 429; the pull is broken off',
      shownBy: [PFIOH_TOKENS, 'breaks off a pull whose token is revoked'],
    },
  ],
};
