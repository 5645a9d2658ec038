import { PmanError } from '../../lib/errors.ts';
import type { EngineClient } from './engineClient.ts';

/** Sends a signal to a container that may have ended; false when this engine has no such container. */
export async function signalContainer(
  client: EngineClient,
  id: string | undefined,
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (id === undefined) return false;
  const doing = `send ${signal} to container ${id}`;
  const container = client.docker.getContainer(id);
  try {
    const sent = await client.askIfThere(doing, async () => {
      await container.kill({ signal });
      return true;
    });
    return sent === true;
  } catch (error) {
    if (!(error instanceof PmanError) || error.code === 'unavailable') throw error;
    // It may have ended meanwhile, for which engines have different words.
    const now = await client.askIfThere(doing, () => container.inspect());
    if (now?.State.Running) throw error;
    return true;
  }
}
