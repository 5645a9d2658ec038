import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exec, type V1Status } from '@kubernetes/client-node';
import { messageOf } from '../lib/errors.ts';
import { noAnswer } from './apiError.ts';
import type { KubeClient } from './client.ts';

/** How long the container may take to say that the signal was sent, in milliseconds. */
const EXEC_MS = 8000;

/**
 * Sends a signal to the first process of a container, by the `kill` of its shell: Kubernetes knows no signals. An image without a
 * shell, and SIGKILL, which a container's first process does not get from inside, are not reached so.
 * @returns whether it was sent
 * @throws PmanError unavailable when there is no answer
 */
export async function signalContainer(
  client: KubeClient,
  {
    pod,
    container,
    signal,
  }: { readonly pod: string; readonly container: string; readonly signal: NodeJS.Signals },
): Promise<boolean> {
  const doing = `signal pod "${pod}"`;
  const command = ['sh', '-c', `kill -s ${signal.replace(/^SIG/, '')} 1`];
  const [out, err] = [new PassThrough().resume(), new PassThrough().resume()];
  let close: () => void = () => undefined;
  const late = new AbortController();
  try {
    const told = new Promise<V1Status | undefined>((resolve, reject) => {
      const exec = new Exec(client.credentials.config);
      exec
        .exec(client.namespace, pod, container, command, out, err, null, false, resolve)
        .then((socket) => {
          close = () => socket.close();
          socket.onerror = (event: unknown) => reject(new Error(messageOf(event)));
          socket.onclose = () => resolve(undefined);
        }, reject);
    });
    const silence = sleep(EXEC_MS, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error(`no answer within ${EXEC_MS} ms`);
    });
    const status = await Promise.race([told, silence]);
    return status?.status === 'Success';
  } catch (error) {
    // An answer that is no connection: it is not permitted, or there is no such container any more.
    if (/Unexpected server response: 4\d\d/.test(messageOf(error))) return false;
    throw noAnswer(doing, client.credentials.server, error);
  } finally {
    late.abort();
    close();
  }
}
