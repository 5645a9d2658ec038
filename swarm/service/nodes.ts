import { z } from 'zod';
import { PmanError } from '../../lib/errors.ts';
import type { EngineClient } from '../client/engineClient.ts';

/** How long it is believed that no larger node has come, in milliseconds. */
const KNOWN_MS = 60_000;

/** What the nodes of a swarm have. */
export class SwarmNodes {
  readonly #client: EngineClient;
  #largest: { readonly cpus: number; readonly at: number } | undefined;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** So many processors, or as many as the largest node has: a larger limit would limit nothing. */
  async atMost(cpus: number): Promise<number> {
    if (this.#largest === undefined || Date.now() - this.#largest.at > KNOWN_MS) {
      const nano = (await this.#list()).map(
        ({ Description }) => Description?.Resources?.NanoCPUs ?? 0,
      );
      this.#largest = { cpus: Math.max(0, ...nano) / 1e9, at: Date.now() };
    }
    const { cpus: most } = this.#largest;
    return most > 0 ? Math.min(cpus, most) : cpus;
  }

  /** None when this engine does not show them. */
  async #list(): Promise<readonly z.infer<typeof nodeSchema>[]> {
    try {
      const nodes = await this.#client.ask('list the nodes', () => this.#client.docker.listNodes());
      return z.array(nodeSchema).parse(nodes);
    } catch (error) {
      if (error instanceof PmanError && error.code !== 'unavailable') return [];
      throw error;
    }
  }
}

const nodeSchema = z.looseObject({
  Description: z
    .looseObject({ Resources: z.looseObject({ NanoCPUs: z.number().optional() }).optional() })
    .optional(),
});
