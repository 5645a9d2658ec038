import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  addressText,
  engineAddress,
  parseAddress,
} from '../../../../swarm/client/engineAddress.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

/** A home folder with these files in it. */
function home(files: Record<string, string> = {}): string {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

function contextFiles(name: string, host: string, skipVerify = false): Record<string, string> {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = { Name: name, Endpoints: { docker: { Host: host, SkipTLSVerify: skipVerify } } };
  return { [`.docker/contexts/meta/${id}/meta.json`]: JSON.stringify(meta) };
}

describe('parseAddress', () => {
  it.each([
    ['unix:///run/d.sock', { kind: 'socket', path: '/run/d.sock' }],
    ['unix://run/d.sock', { kind: 'socket', path: '/run/d.sock' }],
    ['unix:/run/d.sock', { kind: 'socket', path: '/run/d.sock' }],
    [':4000', { kind: 'tcp', host: '127.0.0.1', port: 4000 }],
    ['tcp://:4000', { kind: 'tcp', host: '127.0.0.1', port: 4000 }],
    ['unix://', { kind: 'socket', path: '/var/run/docker.sock' }],
    ['tcp://10.0.0.1:4000', { kind: 'tcp', host: '10.0.0.1', port: 4000 }],
    ['tcp://h', { kind: 'tcp', host: 'h', port: 2375 }],
    ['h:4000', { kind: 'tcp', host: 'h', port: 4000 }],
    ['http://h:80', { kind: 'tcp', host: 'h', port: 80 }],
    ['tcp://[::1]:4000/', { kind: 'tcp', host: '::1', port: 4000 }],
    ['https://h', { kind: 'tcp', host: 'h', port: 2376, tls: { verify: true } }],
    ['ssh://me@h:2222', { kind: 'ssh', host: 'h', port: 2222, user: 'me' }],
    ['ssh://h', { kind: 'ssh', host: 'h' }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each(['gopher://h', 'tcp://', 'a b', 'npipe:////./pipe/docker'])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow(/is not the address of a Docker Engine/);
  });
});

describe('engineAddress', () => {
  it('takes the default socket when nothing is set', async () => {
    const address = await engineAddress({ env: {}, home: home() });
    expect(addressText(address)).toBe('unix:///var/run/docker.sock');
  });

  it("prefers the user's own socket when there is one", async () => {
    const folder = home({ '.docker/run/docker.sock': '' });
    const address = await engineAddress({ env: {}, home: folder });
    expect(address).toEqual({ kind: 'socket', path: join(folder, '.docker/run/docker.sock') });
  });

  it('follows the current context', async () => {
    const config = { '.docker/config.json': JSON.stringify({ currentContext: 'lab' }) };
    const folder = home({ ...config, ...contextFiles('lab', 'unix:///lab.sock') });
    expect(await engineAddress({ env: {}, home: folder })).toEqual({
      kind: 'socket',
      path: '/lab.sock',
    });
  });

  it('puts base_url before DOCKER_HOST, that before DOCKER_CONTEXT, that before the current context', async () => {
    const config = { '.docker/config.json': JSON.stringify({ currentContext: 'b' }) };
    const folder = home({
      ...config,
      ...contextFiles('a', 'tcp://a'),
      ...contextFiles('b', 'tcp://b'),
    });
    const text = async (env: Record<string, string>, baseUrl?: string) =>
      addressText(await engineAddress({ env, home: folder, ...(baseUrl && { baseUrl }) }));
    const env = { DOCKER_HOST: 'tcp://h', DOCKER_CONTEXT: 'a' };
    expect(await text(env, 'tcp://u')).toBe('tcp://u:2375');
    expect(await text(env)).toBe('tcp://h:2375');
    expect(await text({ DOCKER_CONTEXT: 'a' })).toBe('tcp://a:2375');
    expect(await text({ DOCKER_CONTEXT: 'default' })).toBe('unix:///var/run/docker.sock');
    expect(await text({})).toBe('tcp://b:2375');
  });

  it('takes the certificates of a context, and its wish not to check the server', async () => {
    const id = createHash('sha256').update('far').digest('hex');
    const folder = home({
      ...contextFiles('far', 'tcp://far:2376', true),
      [`.docker/contexts/tls/${id}/docker/ca.pem`]: 'CA',
    });
    expect(await engineAddress({ env: { DOCKER_CONTEXT: 'far' }, home: folder })).toEqual({
      kind: 'tcp',
      host: 'far',
      port: 2376,
      tls: { verify: false, ca: 'CA' },
    });
  });

  it('takes TLS from DOCKER_TLS_VERIFY and DOCKER_CERT_PATH', async () => {
    const folder = home({ 'c/ca.pem': 'CA', 'c/cert.pem': 'CERT', 'c/key.pem': 'KEY' });
    const pem = { ca: 'CA', cert: 'CERT', key: 'KEY' };
    const certs = { DOCKER_HOST: 'tcp://h', DOCKER_CERT_PATH: join(folder, 'c') };
    expect(await engineAddress({ env: certs, home: folder })).toMatchObject({
      port: 2376,
      tls: { verify: false, ...pem },
    });
    const verified = { ...certs, DOCKER_TLS_VERIFY: '1' };
    expect(await engineAddress({ env: verified, home: folder })).toMatchObject({
      tls: { verify: true, ...pem },
    });
  });

  it('says which context is not there, and which file cannot be read', async () => {
    const missing = engineAddress({ env: { DOCKER_CONTEXT: 'nosuch' }, home: home() });
    await expect(missing).rejects.toThrow('there is no docker context "nosuch"');
    const broken = home({ '.docker/config.json': '{' });
    await expect(engineAddress({ env: {}, home: broken })).rejects.toThrow(
      /cannot read .*config\.json/,
    );
  });
});
