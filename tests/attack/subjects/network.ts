import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { certificates, opensslMissing } from '../../helpers/certificates.ts';
import { Wire } from '../../helpers/http.ts';
import type { Subject } from '../attack.ts';
import { withPman } from '../victims.ts';

const statusOver = (port: number, ca: Buffer | undefined): Promise<number | string> =>
  new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/api/v1/hello', ...(ca && { ca }) };
    const asked = httpsRequest(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    asked.end();
  });

const TLS = 'tests/integration/tls.test.ts';

export const network: Subject = {
  title: 'whoever sees the network',
  attacks: [
    {
      tried: 'plain HTTP to a pman with TLS, and TLS of a client that does not know its CA',
      missing: opensslMissing,
      observe: () => {
        const folder = certificates();
        const flags = ['--tlsCert', join(folder, 'cert.pem'), '--tlsKey', join(folder, 'key.pem')];
        const ca = readFileSync(join(folder, 'ca.pem'));
        const isReady = async (port: number) => (await statusOver(port, ca)) === 200;
        return withPman({ flags, isReady }, async (server) => {
          expect(await statusOver(server.port, ca)).toBe(200);
          const stranger = await statusOver(server.port, undefined);
          expect(stranger).toMatch(/CERT|ISSUER|SIGN/);
          const wire = await Wire.open(server.port);
          await wire.send('GET /api/v1 HTTP/1.1\r\nHost: x\r\n\r\n');
          const answer = await wire.answer();
          wire.destroy();
          expect(answer?.status ?? 400).toBe(400);
          return 'neither is served';
        });
      },
    },
    {
      tried: 'a client without a certificate of the listed authorities, with --tlsClientCA',
      happens: 'refused in the handshake',
      shownBy: [TLS, 'may name authorities: others are refused in the handshake'],
    },
    {
      tried: 'handshakes that are never finished',
      happens: 'ended at their limit; nobody is held up',
      shownBy: [TLS, 'is ended at its limit, and holds up nobody'],
    },
    {
      tried: 'a server with a certificate that nobody purl knows has signed',
      happens: 'purl ends with 35 and sends nothing',
      shownBy: [
        'tests/integration/purlTls.test.ts',
        'refuses a certificate that nobody it knows has signed, and says so',
      ],
    },
  ],
};
