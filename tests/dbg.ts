import { mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { DEFAULT_LIMITS } from '../lib/transfer/limits.ts';
import { unpack } from '../lib/transfer/unpack.ts';

rmSync('/tmp/unp', { recursive: true, force: true });
mkdirSync('/tmp/unp');
const t = Date.now();
await unpack(openSync('/tmp/many.zip', 'r'), statSync('/tmp/many.zip').size, '/tmp/unp', {
  limits: DEFAULT_LIMITS,
  followLinks: true,
  rooted: true,
});
console.log('unpack', Date.now() - t, process.resourceUsage().maxRSS / 1024, process.cpuUsage());
