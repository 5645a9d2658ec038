import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { z } from 'zod';

const eventSchema = z.looseObject({
  Actor: z.looseObject({ Attributes: z.record(z.string(), z.string()).default({}) }).optional(),
});

export interface EventsOptions {
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  readonly onEvent: (attributes: Readonly<Record<string, string>>) => void;
}

/**
 * Reads the engine's events, a JSON object a line, until the signal is given or the engine closes the connection.
 * Rejects when it cannot be opened.
 */
export async function readEvents(docker: Docker, options: EventsOptions): Promise<void> {
  const { filters, signal, onOpen, onEvent } = options;
  const stream = (await docker.getEvents({
    filters: JSON.stringify(filters),
  })) as NodeJS.ReadableStream & { destroy(): void };
  onOpen();
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const ended = new Promise<void>((resolve) => {
      stream.on('error', () => resolve());
      stream.on('close', () => resolve());
      lines.on('close', () => resolve());
    });
    lines.on('line', (line) => onEvent(attributesOf(line)));
    await ended;
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
    stream.destroy();
  }
}

function attributesOf(line: string): Readonly<Record<string, string>> {
  if (line.trim() === '') return {};
  return eventSchema.parse(JSON.parse(line)).Actor?.Attributes ?? {};
}
