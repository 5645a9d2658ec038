import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { checkout, type StartOptions, startServer, TestServer } from '../helpers/startServer.ts';

const tiny: StartOptions = {
  command: [process.execPath, join(checkout, 'tests/fixtures/tinyServer.mjs')],
};

describe('startServer', () => {
  it('waits for the announced port and stops on SIGTERM', async () => {
    const server = await startServer(tiny);
    expect(await server.post('hello', {})).toEqual({ status: true });
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.isRunning).toBe(false);
  });

  it('restarts on the same folders after a kill', async () => {
    const server = await startServer(tiny);
    const { pid, folders } = server;
    expect(await server.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.folders).toBe(folders);
    await server.stop();
  });

  it('says why a server did not start', async () => {
    const start = startServer({ ...tiny, flags: ['--fail'] });
    await expect(start).rejects.toThrow(/ended at start \(1\).*no such flag/s);
  });

  it('complains about a server that ignores SIGTERM', async () => {
    const server = await startServer({ ...tiny, flags: ['--stubborn'] });
    await expect(server.stop(200)).rejects.toThrow('did not end within 200 ms of SIGTERM');
  });

  it('finds what a server leaves running, detached processes too', async () => {
    const server = await startServer(tiny);
    await server.request('POST', '/spawn');
    await eventually(() => server.children().some(({ command }) => command === 'sleep 60'));
    await server.stop();
    expect(server.children()).toHaveLength(1);
    server.endJobs();
    await eventually(() => server.children().length === 0);
  });

  it('reads several answers from one connection and sees split requests arrive whole', async () => {
    const server = new TestServer(tiny);
    await server.ready();
    const bytes = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    const answer = await server.raw(bytes, { pieces: [5, 20, 10] });
    expect(answer?.status).toBe(200);
    expect(answer?.json()).toEqual({ status: true });
    await server.stop();
  });
});
