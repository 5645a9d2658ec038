import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { certificates, opensslMissing } from '../helpers/certificates.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { pmanVerb } from '../helpers/pmanVerb.ts';
import { tempDir } from '../helpers/tempDir.ts';

describeWithEngine('a server by https that is not believed', opensslMissing, () => {
  let folder: string;
  let server: Server;
  let port: number;
  beforeAll(async () => {
    folder = certificates({ names: 'DNS:pman.lab' });
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)));
    server = createServer({ cert, key }, (_, response) => response.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const home = tempDir();
  const hint = async (...argv: string[]) => {
    const place = { port: 1, folders: { home, cwd: home } };
    const url = `https://127.0.0.1:${port}`;
    const { code, stderr } = await pmanVerb(place as never, ['ls', '--server', url, ...argv]);
    expect([code, stderr.split('\n')[0]]).toEqual([1, `pman: no answer from ${url}`]);
    return stderr.split('\n')[1];
  };

  it('says that it is of another name, and to take that', async () => {
    const said = await hint('--ca', join(folder, 'ca.pem'));
    expect(said).toMatch(
      /127\.0\.0\.1 is not in the cert's list.*; name the server by a name that/,
    );
    expect(said).not.toMatch(/--ca/);
  });

  it('says that the file of --ca holds no certificate', async () => {
    const empty = join(home, 'empty.pem');
    writeFileSync(empty, '');
    for (const file of [empty, join(folder, 'key.pem')]) {
      expect(await hint('--ca', file)).toMatch(`${file} holds no certificate`);
    }
  });

  it('says what names certificates where none was named', async () => {
    expect(await hint()).toMatch(/certificate.*; --ca FILE or PMAN_CA names/);
  });
});
