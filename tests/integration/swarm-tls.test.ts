import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { tempDir } from '../helpers/tempDir.ts';

describeWithEngine('swarm over TLS', opensslMissing, () => {
  let server: Server;
  let certs: string;
  let host: string;

  beforeAll(async () => {
    certs = certificates();
    const pem = (name: string) => readFileSync(join(certs, name));
    const tls = { ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
    server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (req, res) => {
      const task = { ID: 'task1', Status: { State: 'running' } };
      const service = { ID: 'svc', Spec: { Name: 'test' } };
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify(req.url?.startsWith('/tasks') ? [task] : service));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function state(env: Record<string, string>) {
    const all = { PATH: process.env.PATH, HOME: '/nonexistent', DOCKER_HOST: host, ...env };
    const args = ['dist/bin/swarm.cjs', '--state', 'test'];
    return execa('node', args, { reject: false, env: all, extendEnv: false });
  }

  it('shows its certificate and checks that of the engine', async () => {
    const { stdout, stderr } = await state({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs });
    expect(stderr).toBe('');
    expect(stdout).toContain('"task1"');
  });

  it('refuses an engine whose certificate is signed by someone else', async () => {
    const others = certificates();
    const { exitCode, stderr } = await state({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: others });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no answer from https:.*(self.signed|certificate|signature)/);
  });

  it('does not check the engine when only the certificates are given', async () => {
    const partly = tempDir();
    for (const name of ['cert.pem', 'key.pem']) {
      writeFileSync(join(partly, name), readFileSync(join(certs, name)));
    }
    const { stdout, stderr } = await state({ DOCKER_CERT_PATH: partly });
    expect(stderr).toBe('');
    expect(stdout).toContain('"task1"');
  });

  it('takes the certificates from ~/.docker when none are named', async () => {
    const home = tempDir();
    mkdirSync(join(home, '.docker'));
    for (const name of ['ca.pem', 'cert.pem', 'key.pem']) {
      writeFileSync(join(home, '.docker', name), readFileSync(join(certs, name)));
    }
    const { stdout, stderr } = await state({ DOCKER_TLS_VERIFY: '1', HOME: home });
    expect(stderr).toBe('');
    expect(stdout).toContain('"task1"');
  });
});
