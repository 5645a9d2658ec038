import { networkInterfaces } from 'node:os';

/** The first IPv4 address that is not loopback; loopback when there is no other. */
export function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (family === 'IPv4' && !internal) return address;
    }
  }
  return '127.0.0.1';
}
