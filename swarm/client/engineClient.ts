import type { Agent } from 'node:http';
import { setImmediate as afterInput, setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { PmanError } from '../../lib/errors.ts';
import { addressText, type EngineAddress } from './engineAddress.ts';
import { engineError } from './engineError.ts';

interface Patience {
  /** How long a call may go without an answer before the engine is asked whether it is there, in milliseconds. */
  readonly quietMs: number;
  /** How long it may take to say so. */
  readonly pingMs: number;
}

const PATIENCE: Patience = { quietMs: 4000, pingMs: 4000 };
/** With an engine that has been silent just now: those who waited for a call that failed are not to wait as long again. */
const IMPATIENCE: Patience = { quietMs: 250, pingMs: 1000 };
/** How long one call may take on an engine that is there; containers that end slowly are waited for elsewhere. */
const ANSWER_MS = 130_000;
/** For calls that end when they end. */
export const FOR_EVER = 0;

/** Asks an engine, and finds out within 8 seconds when nobody is there to answer, within 2 when that is known. */
export class EngineClient {
  readonly docker: Docker;
  readonly #address: EngineAddress;
  readonly #agent: Agent | undefined;
  #ping: Promise<void> | undefined;
  /** It was silent when it was asked last. */
  #isSilent = false;

  /** @param agent holds the connections of `docker`; undefined where it is not ours */
  constructor(docker: Docker, address: EngineAddress, agent: Agent | undefined) {
    this.docker = docker;
    this.#address = address;
    this.#agent = agent;
  }

  /**
   * Makes one call. As long as its answer has not come, the engine is asked for a sign of life now and then: a call may take
   * long, a stream longer, but one to an engine that is gone (a dropped connection, a stopped process) does not hang.
   * @param doing what is done, to what, for messages: 'remove service "x"'
   * @param call is given a signal that tells that its answer is not waited for any more
   * @param answerMs how long the answer may take on an engine that is there; FOR_EVER for streams
   * @throws PmanError for whatever the engine says (see engineError); unavailable when it says nothing
   */
  async ask<T>(
    doing: string,
    call: (signal: AbortSignal) => Promise<T>,
    answerMs: number = ANSWER_MS,
  ): Promise<T> {
    const over = new AbortController();
    try {
      const silence = this.#silence(doing, answerMs, over.signal);
      // Also a call that throws before there is a promise loses to nobody.
      const called = (async () => call(over.signal))();
      const answer = await Promise.race([called, silence]);
      this.#isSilent = false;
      return answer;
    } catch (error) {
      throw engineError(doing, this.#address, error);
    } finally {
      over.abort();
    }
  }

  /** As `ask`; undefined when what is asked about is not there. */
  async askIfThere<T>(
    doing: string,
    call: (signal: AbortSignal) => Promise<T>,
    answerMs: number = ANSWER_MS,
  ): Promise<T | undefined> {
    try {
      return await this.ask(doing, call, answerMs);
    } catch (error) {
      if (error instanceof PmanError && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  /** Rejects when the engine is gone, or the answer late; not before the signal otherwise, when nobody listens any more. */
  async #silence(doing: string, answerMs: number, signal: AbortSignal): Promise<never> {
    const where = addressText(this.#address);
    const begin = `cannot ${doing}: no answer from ${where}`;
    for (let waitedMs = 0; ; ) {
      const { quietMs, pingMs } = this.#isSilent ? IMPATIENCE : PATIENCE;
      await sleep(quietMs, undefined, { signal, ref: false });
      waitedMs += quietMs;
      if (!(await this.#isThere(pingMs))) {
        throw new PmanError('unavailable', `${begin}, and no sign of life for ${pingMs} ms`, {
          hint: 'Is the Docker Engine running, and is it reached from here? Ask again later.',
        });
      }
      if (answerMs !== FOR_EVER && waitedMs >= answerMs) {
        throw new PmanError('unavailable', `${begin} within ${waitedMs} ms`);
      }
    }
  }

  /** One question at a time, however many calls wait. When it is not answered, all connections are given up. */
  async #isThere(pingMs: number): Promise<boolean> {
    this.#ping ??= this.#askSign(pingMs).finally(() => {
      this.#ping = undefined;
    });
    try {
      await this.#ping;
      this.#isSilent = false;
    } catch {
      // Whatever it is: a call waits, and nobody is there for another one either.
      this.#isSilent = true;
      this.#agent?.destroy();
    }
    return !this.#isSilent;
  }

  async #askSign(pingMs: number): Promise<void> {
    const late = new AbortController();
    try {
      await Promise.race([
        this.docker.ping(),
        sleep(pingMs, undefined, { signal: late.signal, ref: false })
          .then(() => afterInput()) // this process may have been the one that was busy
          .then(() => Promise.reject(new Error('no sign of life'))),
      ]);
    } finally {
      late.abort();
    }
  }
}
