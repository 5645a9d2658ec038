import { afterEach, describe, expect, it } from '@jest/globals';
import Modem from 'docker-modem';
import type { EngineAddress } from '../../../../swarm/client/engineAddress.ts';
import { modemSettings, openEngine } from '../../../../swarm/client/openEngine.ts';

const { DOCKER_HOST, DOCKER_CERT_PATH } = process.env;
const restore = (name: string, value: string | undefined) => {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
};

afterEach(() => {
  restore('DOCKER_HOST', DOCKER_HOST);
  restore('DOCKER_CERT_PATH', DOCKER_CERT_PATH);
});

describe('openEngine', () => {
  it('heeds the address that it is given, and neither reads nor changes what DOCKER_HOST says', async () => {
    process.env.DOCKER_HOST = 'tcp://elsewhere:2376';
    process.env.DOCKER_CERT_PATH = '/there/is/no/such/folder';
    const opening = openEngine({ kind: 'socket', path: '/engine.sock' });
    expect(process.env.DOCKER_HOST).toBe('tcp://elsewhere:2376');
    const { docker } = await opening;
    expect(docker.modem).toBeInstanceOf(Modem);
    const settings = { socketPath: '/engine.sock', protocol: 'http', host: undefined };
    expect(docker.modem).toMatchObject(settings);
    expect(process.env.DOCKER_HOST).toBe('tcp://elsewhere:2376');
  });
});

describe('modemSettings', () => {
  const addresses: readonly EngineAddress[] = [
    { kind: 'socket', path: '/engine.sock' },
    { kind: 'tcp', host: 'h', port: 1 },
    { kind: 'tcp', host: 'h', port: 1, tls: { verify: true, ca: 'CA' } },
    { kind: 'ssh', host: 'h', user: 'u' },
  ];

  it.each(addresses)("sets all that the client's own constructor would, for %j", (address) => {
    delete process.env.DOCKER_HOST;
    const settings = modemSettings(address);
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(Object.keys(new Modem())));
  });

  it('reaches an engine over ssh as the user, with the keys of the agent', () => {
    const settings = modemSettings({ kind: 'ssh', host: 'h', user: 'u' }, '/agent.sock');
    const expected = { protocol: 'ssh', host: 'h', port: 22, username: 'u' };
    expect(settings).toMatchObject({ ...expected, sshOptions: { agent: '/agent.sock' } });
  });

  it("gives the client's certificate, and checks the engine's as it is told", () => {
    const tls = { verify: false, ca: 'CA', cert: 'CERT', key: 'KEY' };
    const settings = modemSettings({ kind: 'tcp', host: 'h', port: 2376, tls });
    expect(settings).toMatchObject({ protocol: 'https', ca: 'CA', cert: 'CERT', key: 'KEY' });
    expect(settings.agent).toHaveProperty('options.rejectUnauthorized', false);
  });
});
