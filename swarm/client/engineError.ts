import { messageOf, PmanError } from '../../lib/errors.ts';
import { addressText, type EngineAddress } from './engineAddress.ts';

/**
 * What a failed call to the engine means, as an error of ours: not_found, conflict, bad_request, or unavailable
 * when the engine does not answer or is no swarm manager.
 *
 * @param doing What was being done, to what: 'remove service "x"'.
 */
export function engineError(doing: string, address: EngineAddress, error: unknown): PmanError {
  if (error instanceof PmanError) return error;
  const status = statusCodeOf(error);
  if (status === undefined) {
    const where = addressText(address);
    return new PmanError(
      'unavailable',
      `cannot ${doing}: no answer from ${where}: ${messageOf(error)}`,
      {
        hint: 'Is the Docker Engine running, and may this user reach it? DOCKER_HOST names another one.',
        cause: error,
      },
    );
  }
  const message = `cannot ${doing}: ${reasonOf(error)}`;
  switch (status) {
    case 400:
      return new PmanError('bad_request', message, { cause: error });
    case 404:
      return new PmanError('not_found', message, { cause: error });
    case 409:
      return new PmanError('conflict', message, { cause: error });
    case 503:
      return new PmanError('unavailable', message, {
        hint: 'Services need an engine that is a swarm manager: docker swarm init',
        cause: error,
      });
    default: {
      // Podman's word for a name that is taken, where Docker says 409.
      const code = /name .* is already in use/.test(message) ? 'conflict' : 'internal';
      return new PmanError(code, message, { cause: error });
    }
  }
}

/** The HTTP status of an answer that dockerode turned into an error; undefined when there was no answer. */
function statusCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** What came in place of an engine's `{"message": "…"}`, the beginning of it. */
function answerIn(error: unknown): string {
  const body = typeof error === 'object' && error !== null && 'json' in error ? error.json : {};
  return JSON.stringify(body ?? {}).slice(0, 200);
}

/** The engine's own words, without dockerode's and gRPC's wrapping. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (message.includes('[object Object]'))
    return `the answer is not a Docker Engine's: ${answerIn(error)}`;
  return message
    .replace(/^\(HTTP code \d+\) .*? - /s, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .trim();
}
