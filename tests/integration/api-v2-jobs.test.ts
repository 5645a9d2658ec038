import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobSchema } from '../../lib/dialects/v2/jobSchema.ts';
import { ApiClient } from '../helpers/apiClient.ts';
import { eventually } from '../helpers/eventually.ts';
import { endServer } from '../helpers/pman.ts';
import { startServer, type TestServer } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** What a job of /api/v2 may have beyond a command. */
let server: TestServer;
let api: ApiClient;
describe('a job of /api/v2 with more than a command', () => {
  beforeAll(async () => {
    server = await startServer({ flags: ['--maxJobs', '2'] });
    api = new ApiClient(server);
  });
  afterAll(async () => {
    await endServer(server);
  });

  async function outputOf(job: object): Promise<string> {
    const { id, links } = await api.submit(job);
    await api.job(id, '?wait=20s');
    return (await api.send('GET', links.stdout)).body as string;
  }

  async function upload(job: object, stdin: Buffer) {
    const form = new FormData();
    form.set('job', JSON.stringify(job));
    form.set('stdin', new Blob([new Uint8Array(stdin)]), 'input.bin');
    const answer = await fetch(api.url('/api/v2/jobs'), { method: 'POST', body: form });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  describe('the input of a job', () => {
    it('is read by each part from its beginning; without one there is none', async () => {
      expect(await outputOf({ command: 'cat; wc -l', stdin: 'a\nb\n' })).toMatch(/^a\nb\n\s*2\n$/);
      expect(await outputOf({ command: 'wc -c' })).toMatch(/^\s*0\n$/);
      expect(await outputOf({ command: 'head -1; cat', shell: true, stdin: 'é\n' })).toBe('é\n');
    });

    it('may be a file that is sent along, byte for byte', async () => {
      const bytes = Buffer.alloc(3_000_000, 0);
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7 + (at >> 8)) % 256;
      const { status, body } = await upload({ command: 'sha256sum' }, bytes);
      expect(status).toBe(201);
      const job = jobSchema.strict().parse(body);
      await api.job(job.id, '?wait=20s');
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect((await api.send('GET', job.links.stdout)).body).toBe(`${digest}  -\n`);
    });

    it('is still there for a job that waited while pman was killed', async () => {
      const blockers = await Promise.all(
        [1, 2].map(() => api.submit({ command: 'sleep 100', jid: 'blocker' })),
      );
      const { body } = await upload({ command: 'cat' }, Buffer.from('kept\n'));
      const { id, links } = jobSchema.parse(body);
      expect(await api.job(id)).toMatchObject({ state: 'waiting', place: 1 });
      await server.kill9();
      await server.restart();
      for (const { links } of blockers) await api.send('POST', `${links.self}/kill`, {});
      expect(await api.job(id, '?wait=20s')).toMatchObject({ state: 'succeeded' });
      expect((await api.send('GET', links.stdout)).body).toBe('kept\n');
    });

    it('is not given twice, and not to a path that takes none', async () => {
      const twice = await upload({ command: 'cat', stdin: 'x' }, Buffer.from('y'));
      expect([twice.status, twice.body.detail]).toEqual([400, expect.stringContaining('twice')]);
      const form = new FormData();
      form.set('job', '{"command": "true"}');
      form.set('more', 'x');
      const more = await fetch(api.url('/api/v2/jobs'), { method: 'POST', body: form });
      expect([more.status, await more.text()]).toEqual([400, expect.stringContaining('more')]);
      const digest = { sha256: '0'.repeat(64), bytes: 1 };
      const meta = { cmd: 'cat', auid: '', jid: '', threaded: true, stdin: digest };
      expect(await server.post('run', meta)).toMatchObject({
        error: { code: 'bad_request', message: expect.stringContaining('did not come along') },
      });
    });

    it('of two sizes is two jobs for one key', async () => {
      const send = async (stdin: string) => {
        const form = new FormData();
        form.set('job', '{"command": "cat"}');
        form.set('stdin', new Blob([stdin]));
        const headers = { 'Idempotency-Key': 'input-key' };
        const answer = await fetch(api.url('/api/v2/jobs'), {
          method: 'POST',
          body: form,
          headers,
        });
        return { status: answer.status, body: (await answer.json()) as { id: string } };
      };
      const [first, again] = [await send('one'), await send('one')];
      expect([first.status, again.body.id]).toEqual([201, first.body.id]);
      expect((await send('other')).status).toBe(409);
    });
  });

  describe('a job', () => {
    it('tells its labels, limits, folder, times and what it has used', async () => {
      const cwd = tempDir();
      const { id } = await api.submit({
        ...{ command: 'pwd', cwd, timeout: 60, maxOutput: '1Mi', nice: 1 },
        labels: { project: 'mri', 'example.org/step': '2' },
      });
      const job = await api.job(id, '?wait=20s');
      expect(job).toMatchObject({
        ...{ cwd, labels: { project: 'mri', 'example.org/step': '2' }, rerunOf: null },
        shell: false,
        asked: { timeout: 60, maxOutput: '1Mi', nice: 1, memory: null, cpus: null },
        usage: { wallSeconds: expect.any(Number), userSeconds: expect.any(Number) },
      });
      for (const [name, ns] of [
        ['acceptedAt', job.ns.accepted],
        ['startedAt', job.ns.started],
        ['endedAt', job.ns.ended],
      ] as const) {
        expect(new Date(Number(BigInt(ns ?? 0) / 1_000_000n)).toISOString()).toBe(job[name]);
      }
    });

    it('that writes more than it may is ended, and says so', async () => {
      const { id } = await api.submit({ command: 'yes; sleep 100', maxOutput: 10_000 });
      const { state, reason } = await api.job(id, '?wait=20s');
      expect([state, reason?.message]).toEqual(['failed', expect.stringContaining('10000 bytes')]);
    });

    it.each([
      ['labels', { 'a b': 'x' }, /a b/],
      ['labels', { a: 'x'.repeat(257) }, /256/],
      ['labels', Object.fromEntries([...Array(65).keys()].map((i) => [`l${i}`, ''])), /64/],
      ['files', ['../x'], /below/],
      ['files', ['/etc/passwd'], /below/],
      ['maxOutput', 'much', /maxOutput/],
      ['backend', 'docker', /host runs/],
      ['stdin', 'a\0b', /NUL/],
    ])('with the %s %j is refused', async (name, value, message) => {
      const said = await api.send('POST', '/api/v2/jobs', { command: 'true', [name]: value });
      expect([said.status, (said.body as { detail: string }).detail]).toEqual([
        400,
        expect.stringMatching(message),
      ]);
    });
  });

  describe('the files of a job', () => {
    it('are those of its working folder that fit, once it has ended', async () => {
      const cwd = tempDir();
      const { id, links } = await api.submit({
        command:
          'mkdir -p out/deep; echo one > out/1.txt; echo two > out/deep/2.txt; touch out/x.log',
        ...{ cwd, files: ['out/**/*.txt', 'top.?'] },
      });
      await api.job(id, '?wait=20s');
      writeFileSync(join(cwd, 'top.a'), 'top');
      const { body } = await api.send('GET', links.files);
      expect(body).toEqual({
        isComplete: true,
        files: [
          ...['out/1.txt', 'out/deep/2.txt', 'top.a'].map((path) =>
            expect.objectContaining({ path, link: `${links.files}/${path}` }),
          ),
        ],
      });
      const one = await api.send('GET', `${links.files}/out/deep/2.txt`);
      expect([one.status, one.body]).toEqual([200, 'two\n']);
      const range = await api.send('GET', `${links.files}/out%2F1.txt`, undefined, {
        Range: 'bytes=1-2',
      });
      expect([range.status, range.body]).toEqual([206, 'ne']);
      for (const path of ['out/x.log', 'out', '..%2Fetc', 'out%2F..%2Fout%2F1.txt']) {
        expect([path, (await api.send('GET', `${links.files}/${path}`)).status]).toEqual([
          path,
          404,
        ]);
      }
      expect((await api.send('GET', `${links.files}/%00`)).status).toBe(400);
    });

    it('are no links, and nothing that a link leads to', async () => {
      const [cwd, outside] = [tempDir(), tempDir()];
      writeFileSync(join(outside, 'secret.txt'), 'secret');
      const { id, links } = await api.submit({ command: 'true', cwd, files: ['**'] });
      await api.job(id, '?wait=20s');
      symlinkSync(join(outside, 'secret.txt'), join(cwd, 'file.txt'));
      symlinkSync(outside, join(cwd, 'folder'));
      mkdirSync(join(cwd, 'own'));
      expect((await api.send('GET', links.files)).body).toEqual({ isComplete: true, files: [] });
      for (const path of ['file.txt', 'folder/secret.txt', 'own']) {
        expect((await api.send('GET', `${links.files}/${path}`)).status).toBe(404);
      }
    });

    it('are not to be had while it runs, and there are none of one that has named none', async () => {
      const running = await api.submit({ command: 'sleep 100', files: ['*'] });
      await eventually(async () => (await api.job(running.id)).state === 'running');
      expect((await api.send('GET', running.links.files)).status).toBe(409);
      await api.send('POST', `${running.links.self}/kill`, {});
      const none = await api.submit({ command: 'true' });
      await api.job(none.id, '?wait=20s');
      expect((await api.send('GET', none.links.files)).body).toEqual({
        files: [],
        isComplete: true,
      });
    });
  });
});
