import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { actions } from '../../lib/actions/index.ts';
import { ENVELOPE_EXAMPLES, envelopeAnswerSchema } from '../../lib/dialects/v2/envelopePaths.ts';
import { openApi } from '../../lib/dialects/v2/index.ts';
import { routes } from '../../lib/dialects/v2/routes.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { checkout, makeFolders, startServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

describe('the examples of the OpenAPI document', () => {
  it('do what they say when they are sent', async () => {
    const server = await startServer();
    const api = new ApiClient(server);
    for (const { method, path, body, examples = {}, answers } of routes) {
      // Webhooks need a receiver: the tests of these have one.
      if (body === undefined || path.endsWith('/notify')) continue;
      expect([path, Object.keys(examples).length > 0]).toEqual([path, true]);
      for (const [name, example] of Object.entries(examples)) {
        const { id } = await api.submit({ command: path.endsWith('/kill') ? 'sleep 100' : 'true' });
        const said = await api.send(method, path.replace('{id}', id), example);
        expect([path, name, said.status]).toEqual([path, name, Number(Object.keys(answers)[0])]);
        const made = (said.body as { id?: string }).id;
        if (made === undefined) continue;
        expect((await api.job(made, '?wait=20s')).state).toMatch(/succeeded|killed/);
      }
    }
    await endServer(server);
  });

  it('has one for each action of the envelope, and each of them works', async () => {
    expect(Object.keys(ENVELOPE_EXAMPLES).sort()).toEqual([...actions.keys()].sort());
    const server = await startServer();
    for (const [action, meta] of Object.entries(ENVELOPE_EXAMPLES)) {
      if (action === 'quit') continue;
      if (action === 'delete') {
        const { jobs } = await new ApiClient(server).page('?jid=hello-1');
        await new ApiClient(server).job(jobs[0]?.id ?? '', '?wait=20s');
      }
      const reply = envelopeAnswerSchema.parse(await server.post(action, meta));
      expect([action, reply.error]).toEqual([action, undefined]);
    }
    const document = JSON.stringify(
      await (await fetch(`http://127.0.0.1:${server.port}/openapi.json`)).json(),
    );
    expect(document).toBe(JSON.stringify(openApi()));
    await endServer(server);
  });
});

describeWithEngine('/api/v2 and schemathesis', pythonMissing, () => {
  it('agree: what the document allows is answered as it says, and nothing ends in a 5xx', async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens.cfg');
    const token = 'a'.repeat(40);
    // Commands are made up: only these run.
    const lines = [
      ...['[TOKEN st]', `value = ${token}`, 'scopes = read, run, kill'],
      ...['commands =', '  true', '  echo *'],
    ];
    writeFileSync(tokenPath, `${lines.join('\n')}\n`, { mode: 0o600 });
    const server = await startServer({
      folders,
      flags: ['--enableTokenAuth', '--tokenPath', tokenPath],
    });
    const api = new ApiClient(server);
    const by = { Authorization: `Bearer ${token}` };
    for (let i = 0; i < 5; i += 1) {
      await api.send('POST', '/api/v2/jobs', { command: `echo ${i}`, jid: `j${i}` }, by);
    }
    const { code, output } = await schemathesis(server.port, token);
    expect(code === 0 ? '' : output).toBe('');
    await endServer(server);
  }, 300_000);
});

function schemathesis(port: number, token: string): Promise<{ code: number; output: string }> {
  const args = [
    ...['--config-file', join(checkout, 'tests/engines/python/schemathesis.toml'), 'run'],
    ...[`http://127.0.0.1:${port}/openapi.json`, '-H', `Authorization: Bearer ${token}`],
    // The original takes any verb, and more of a request than can be said here.
    ...['--exclude-path-regex', '^/(api/v1|metrics|livez|readyz)'],
    // A document cannot say which commands this token may run.
    ...['-c', 'all', '--exclude-checks', 'positive_data_acceptance'],
    ...['--max-examples', '8', '--seed', '1', '--request-timeout', '60', '--max-time', '45'],
  ];
  const env = {
    ...process.env,
    PYTHONPATH: join(checkout, 'tests/engines/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'schemathesis_hooks',
  };
  return new Promise((resolve) => {
    execFile(
      pythonProgram('st'),
      args,
      { cwd: tempDir(), env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}
