import type { Job, PmanClient } from '../../../client/index.ts';

/**
 * Opens or saves what a job has written to its stdout. A link cannot carry a token: where one is needed the page fetches the
 * bytes itself.
 */
export async function openOutput(client: PmanClient, job: Job, way: 'raw' | 'save'): Promise<void> {
  const place = job.links.stdout;
  const { ok } = await fetch(place, { method: 'HEAD' });
  if (ok) return follow(place, job, way);
  const bytes = await client.output(job.id);
  const type = 'text/plain;charset=utf-8';
  const made = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
  follow(made, job, way);
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(made), 60_000);
}

function follow(place: string, job: Job, way: 'raw' | 'save'): void {
  const link = document.createElement('a');
  link.href = place;
  if (way === 'save') link.download = `${job.jid ?? job.id}.log`;
  else link.target = '_blank';
  link.rel = 'noopener';
  link.click();
}
