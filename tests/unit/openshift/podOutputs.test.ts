import { afterEach, describe, expect, it } from '@jest/globals';
import type { Worker } from '../../../lib/jobs/container/engine.ts';
import { PodOutputs } from '../../../openshift/podOutputs.ts';
import { ApiServers } from '../../helpers/apiServer.ts';

const AT = '2026-11-29T10:56:30.942420995Z ';
const AWAY = `unable to retrieve container logs for containerd://${'e8'.repeat(32)}`;
const RUNNING = { running: { startedAt: '2026-11-29T10:56:30Z' } };
const ENDED = { terminated: { exitCode: 3, startedAt: '2026-11-29T10:56:30Z' } };
const WAITING = { waiting: { reason: 'ContainerCreating' } };

describe('PodOutputs', () => {
  const servers = new ApiServers();
  afterEach(() => servers.close());

  /** The outputs of pods at an API server that gives these outputs, one after the other, of a pod in this state. */
  async function outputsOf(
    state: () => object,
    answers: (readonly [status: number, body: string])[],
  ): Promise<PodOutputs> {
    const client = await servers.clientOf(({ url = '' }, response) => {
      const pod = {
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'c' }] },
        status: {
          phase: 'terminated' in state() ? 'Failed' : 'Running',
          containerStatuses: [{ name: 'c', state: state() }],
        },
      };
      if (!url.includes('/log?')) return response.end(JSON.stringify(pod));
      const [status, body] = answers.shift() ?? [500, ''];
      return response.writeHead(status).end(body);
    });
    return new PodOutputs(client, false);
  }
  const worker = (Phase = 'Running'): Worker => ({
    ...{ id: 'p', exitCode: null, shown: { Pod: 'p', Container: 'c', Phase } },
  });
  /** What is handed on from a byte on, and how it ended. */
  async function follow(outputs: PodOutputs, from: number) {
    const parts: Buffer[] = [];
    let opened = 0;
    const ended = outputs.follow(worker(), {
      ...{ from, signal: new AbortController().signal, onOpen: () => (opened += 1) },
      write: async (bytes) => void parts.push(bytes),
    });
    const error = await ended.then(
      () => undefined,
      ({ message }: Error) => message,
    );
    expect(opened).toBe(1);
    return { text: Buffer.concat(parts).toString(), error };
  }

  it('hands on nothing that the node says in place of an output, and fails, so that it is tried again', async () => {
    const outputs = await outputsOf(
      () => RUNNING,
      [
        [200, AWAY],
        [200, `${AT}up\nrpc error: code = Unknown desc = server is not initialized yet`],
      ],
    );
    expect(await follow(outputs, 0)).toEqual({
      ...{ text: '', error: expect.stringContaining('unable to retrieve') },
    });
    expect(await follow(outputs, 0)).toEqual({
      ...{ text: 'up\n', error: expect.stringContaining('not initialized') },
    });
  });

  it('looks for more behind a stream that ended as if it were over, when the pod has ended meanwhile', async () => {
    const whole = `${AT}up\n${AT}gone on\n`;
    const outputs = await outputsOf(
      () => ENDED,
      [
        [200, `${AT}up\n`],
        [200, whole],
      ],
    );
    expect(await follow(outputs, 1)).toEqual({ text: 'p\ngone on\n', error: undefined });
  });

  it('says that a stream was cut off when the pod goes on', async () => {
    const outputs = await outputsOf(() => RUNNING, [[200, `${AT}up\n`]]);
    expect(await follow(outputs, 0)).toEqual({
      ...{ text: 'up\n', error: 'the output of pod "p" was cut off' },
    });
  });

  it('is not empty because a kubelet that has just come up does not know its pods', async () => {
    for (const status of [404, 400]) {
      const outputs = await outputsOf(
        () => ENDED,
        [
          [status, 'pod "p" does not exist'],
          [200, `${AT}up\n`],
        ],
      );
      await expect(outputs.logs([worker('Failed')], 1000)).rejects.toMatchObject({
        ...{ code: 'unavailable', message: expect.stringContaining('has no output of it') },
      });
      expect(await outputs.logs([worker('Failed')], 1000)).toBe('up\n');
      servers.close();
    }
  });

  it('is empty while the container has not started', async () => {
    const outputs = await outputsOf(() => WAITING, [[400, 'container "c" is waiting to start']]);
    expect(await outputs.logs([worker()], 1000)).toBe('');
  });

  it('is cut in its middle by the bytes that the container has written, without the times', async () => {
    const outputs = await outputsOf(() => ENDED, [[200, `${AT}1234\n`.repeat(20)]]);
    const text = await outputs.logs([worker('Failed')], 20);
    expect(text).toMatch(/^1234\n1234\n\n\[… the middle is left out: .* …\]\n1234\n1234\n$/);
  });
});
