import { sharedCall } from '../lib/concurrency/sharedCall.ts';

/** The names that an engine has, looked up no more often than it has to be. */
export class TakenNames {
  readonly #list: () => Promise<Known>;
  #known: Known | undefined;

  /** @param list asks the engine for all its names */
  constructor(list: () => Promise<ReadonlySet<string>>) {
    this.#list = sharedCall(async () => {
      const at = performance.now();
      this.#known = { names: await list(), at };
      return this.#known;
    });
  }

  /** Whether a name is taken, by a list that is `knownForMs` old at most. */
  async has(name: string, knownForMs: number): Promise<boolean> {
    const known = this.#known;
    const isNew = known !== undefined && performance.now() - known.at < knownForMs;
    return (isNew ? known : await this.#list()).names.has(name);
  }
}

interface Known {
  readonly names: ReadonlySet<string>;
  /** When the engine was asked. */
  readonly at: number;
}
