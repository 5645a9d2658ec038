import type { Job, PmanClient } from '../../../client/index.ts';

/** Both: as they came in, which is what the log shows. */
export const OUTPUTS = ['both', 'stdout', 'stderr'] as const;
export type WhichOutput = (typeof OUTPUTS)[number];
export type Way = 'raw' | 'save';

export interface OpenOptions {
  readonly client: PmanClient;
  readonly job: Job;
  readonly way: Way;
  readonly which: WhichOutput;
  readonly signal: AbortSignal;
}

/**
 * Opens or saves what a job has written, byte for byte. The browser itself fetches one output; the page does it where a token
 * is needed, which a link cannot carry, and puts both together.
 */
export async function openOutput(options: OpenOptions): Promise<void> {
  const { job, which, signal } = options;
  if (which !== 'both') {
    const { ok } = await fetch(job.links[which], { method: 'HEAD', signal });
    if (ok) return follow(job.links[which], options);
  }
  const type = 'text/plain;charset=utf-8';
  const made = URL.createObjectURL(new Blob(await bytesOf(options), { type }));
  follow(made, options);
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(made), 60_000);
}

async function bytesOf({ client, job, which, signal }: OpenOptions): Promise<BlobPart[]> {
  if (which !== 'both')
    return [await client.output(job.id, { stream: which, signal })] as BlobPart[];
  const pieces: BlobPart[] = [];
  for await (const { bytes } of client.pieces(job, { signal })) pieces.push(bytes as BlobPart);
  return pieces;
}

function follow(place: string, { job, way, which }: OpenOptions): void {
  const link = document.createElement('a');
  link.href = place;
  if (way === 'save')
    link.download = `${job.jid || job.id}${which === 'both' ? '' : `.${which}`}.log`;
  else link.target = '_blank';
  link.rel = 'noopener';
  link.click();
}
