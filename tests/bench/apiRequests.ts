import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { besideBare } from './besideBare.ts';
import { httpRequest } from './load.ts';
import { startPman, startProgram } from './programs.ts';

/** How many jobs the database has of which one, or a page, is asked for. */
const JOBS = 20;

/** Accepting a job, looking at one and listing some, beside a bare server that answers the same. */
export async function benchRequests(seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pman-bench-api-'));
  // The first job holds up all others: what they cost when they run is `npm run bench:jobs`.
  const pman = await startPman(['--maxJobs', '1', '--killGrace', '1', '--jobsAtExit', 'end']);
  const jobs = `http://127.0.0.1:${pman.port}/api/v2/jobs`;
  const submit = async (command: string) => {
    const body = JSON.stringify({ command, jid: 'bench', auid: 'bench' });
    return (await (await fetch(jobs, { method: 'POST', body })).json()) as { readonly id: string };
  };
  try {
    const { id } = await submit('true');
    for (let i = 1; i < JOBS; i += 1) await submit('true');
    const last = await submit('sleep 3600');
    for (;;) {
      const job = await (await fetch(`${jobs}/${last.id}?wait=1s`)).text();
      if (job.includes('"running"')) break;
    }
    const samples = {
      job: await (await fetch(`${jobs}/${id}`)).json(),
      list: await (await fetch(jobs)).json(),
    };
    const samplesFile = join(folder, 'samples.json');
    writeFileSync(samplesFile, JSON.stringify(samples));
    mkdirSync(join(folder, 'jobs'));
    const file = fileURLToPath(new URL('bareApi.ts', import.meta.url));
    const command = [
      process.execPath,
      ...process.execArgv,
      file,
      samplesFile,
      join(folder, 'jobs'),
    ];
    const bare = await startProgram(command, /(\d+)\n/);
    try {
      const both = { pman, bare, seconds };
      const one = httpRequest(`/api/v2/jobs/${id}`);
      await besideBare({ name: 'GET a job', goal: '0.7', ...both, request: one });
      const list = httpRequest('/api/v2/jobs');
      await besideBare({ name: `GET a page of ${JOBS}`, goal: '0.7', ...both, request: list });
      const short = httpRequest('/api/v2/jobs?fields=id,state');
      await besideBare({
        name: 'the same, of id and state (bare: whole jobs)',
        ...both,
        request: short,
      });
      const body = { command: 'true', jid: 'bench', auid: 'bench' };
      await besideBare({
        name: 'POST a job',
        goal: '0.7',
        ...both,
        request: httpRequest('/api/v2/jobs', body),
      });
    } finally {
      await bare.stop();
    }
  } finally {
    await pman.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
