import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/**
 * What /api/v2 is held against: node:http that does the same JSON work, with the bodies that pman gave. A POST has its job
 * parsed and written to a folder of its own, for a job that is accepted is on the disk. Usage: bareApi.ts <samples> <folder>
 */
const [samplesFile = '', folder = ''] = process.argv.slice(2);
const samples = JSON.parse(readFileSync(samplesFile, 'utf8')) as {
  readonly job: unknown;
  readonly list: unknown;
};
let jobs = 0;

const server = createServer((request, response) => {
  const { method, url = '' } = request;
  if (method !== 'POST') {
    reply(response, 200, url.startsWith('/api/v2/jobs/') ? samples.job : samples.list);
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const asked: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    jobs += 1;
    const place = join(folder, String(jobs));
    mkdirSync(place);
    writeFileSync(join(place, 'job.jsonl'), `${JSON.stringify(asked)}\n`);
    reply(response, 201, samples.job);
  });
});

function reply(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ETag: `W/"${createHash('sha1').update(bytes).digest('base64url')}"`,
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : address);
});
