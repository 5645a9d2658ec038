import { StringDecoder } from 'node:string_decoder';
import type Docker from 'dockerode';
import { z } from 'zod';
import { type EngineClient, FOR_EVER } from './engineClient.ts';

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
 * @throws PmanError unavailable when the connection cannot be opened, or breaks
 */
export async function readEvents(client: EngineClient, options: EventsOptions): Promise<void> {
  await client.ask(
    'listen to events',
    (over) => {
      const signal = AbortSignal.any([options.signal, over]);
      return readStream(client.docker, { ...options, signal });
    },
    FOR_EVER,
  );
}

async function readStream(docker: Docker, options: EventsOptions): Promise<void> {
  const { filters, signal, onOpen, onEvent } = options;
  const stream = (await docker.getEvents({
    filters: JSON.stringify(filters),
  })) as NodeJS.ReadableStream & { destroy(): void };
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  onOpen();
  try {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onEvent(attributesOf(line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function attributesOf(line: string): Readonly<Record<string, string>> {
  if (line.trim() === '') return {};
  return eventSchema.parse(JSON.parse(line)).Actor?.Attributes ?? {};
}
