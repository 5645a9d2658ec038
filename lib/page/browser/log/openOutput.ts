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
 * @throws Error when the browser opens no window
 */
export async function openOutput(options: OpenOptions): Promise<void> {
  // Within the click: a browser keeps windows from opening some seconds later.
  const show = options.way === 'raw' ? openWindow() : undefined;
  try {
    const place = await placeOf(options);
    if (show === undefined) save(place, options);
    else show.go(place);
  } catch (error) {
    show?.close();
    throw error;
  }
}

/** A window that is to show something once it is known what. */
function openWindow(): { go(place: string): void; close(): void } {
  const opened = window.open('about:blank', '_blank');
  if (opened === null) {
    throw new Error('The browser has blocked the window: allow this page to open some.');
  }
  // What is shown there does not get hold of this page.
  opened.opener = null;
  opened.document.title = 'Output';
  opened.document.body.textContent = 'The output is being fetched.';
  return {
    go: (place) => opened.location.replace(place),
    close: () => opened.close(),
  };
}

/** The address of what is wanted. */
async function placeOf(options: OpenOptions): Promise<string> {
  const { job, which, signal } = options;
  if (which !== 'both') {
    const { ok } = await fetch(job.links[which], { method: 'HEAD', signal });
    if (ok) return new URL(job.links[which], location.href).href;
  }
  const type = 'text/plain;charset=utf-8';
  const made = URL.createObjectURL(new Blob(await bytesOf(options), { type }));
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(made), 60_000);
  return made;
}

async function bytesOf({ client, job, which, signal }: OpenOptions): Promise<BlobPart[]> {
  if (which !== 'both')
    return [await client.output(job.id, { stream: which, signal })] as BlobPart[];
  const pieces: BlobPart[] = [];
  for await (const { bytes } of client.pieces(job, { signal })) pieces.push(bytes as BlobPart);
  return pieces;
}

function save(place: string, { job, which }: OpenOptions): void {
  const link = document.createElement('a');
  link.href = place;
  link.download = `${job.jid || job.id}${which === 'both' ? '' : `.${which}`}.log`;
  link.rel = 'noopener';
  link.click();
}
