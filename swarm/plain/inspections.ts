import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';

/** Also the state of one whose start was refused meanwhile. */
const UNSTARTED = 'created';

/**
 * What is known of containers from when each was looked at alone. A list tells the state of all: one is looked at again only
 * when that is another one than it had, as what is of interest (exit code, times, memory) changes with it.
 */
export class Inspections {
  readonly #known = new Map<string, ContainerInspectInfo>();

  /** What is known of a listed container; undefined when it has to be looked at. */
  of({ Id, State }: Pick<ContainerInfo, 'Id' | 'State'>): ContainerInspectInfo | undefined {
    const known = this.#known.get(Id);
    return State !== UNSTARTED && known?.State.Status === State ? known : undefined;
  }

  put(container: ContainerInspectInfo): void {
    this.#known.set(container.Id, container);
  }

  /** These are all that there are. */
  keepOnly(listed: readonly Pick<ContainerInfo, 'Id'>[]): void {
    const ids = new Set(listed.map(({ Id }) => Id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }

  forget(id: string): void {
    this.#known.delete(id);
  }
}
