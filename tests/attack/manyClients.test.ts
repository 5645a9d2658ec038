import { describe, expect, it, jest } from '@jest/globals';
import { endServer } from '../helpers/pman.ts';
import { startServer } from '../helpers/startServer.ts';
import { endureCrowd } from './manyClients.ts';

jest.setTimeout(300_000);

describe('pman with 2,000 idle, 1,000 slow and 500 following clients', () => {
  it('answers others, and drops nobody that was promised an answer', async () => {
    const server = await startServer();
    const { helloMs, ...rest } = await endureCrowd(server, {
      ...{ idle: 2000, slow: 1000, following: 500 },
    });
    expect(rest).toEqual({ idleConnected: 2000, slowAnswered: 1000, followersServed: 500 });
    expect(helloMs.length).toBeGreaterThan(10);
    await endServer(server);
  });
});
