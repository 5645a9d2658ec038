import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, hostname, loadavg, totalmem } from 'node:os';
import { systemErrorCode } from '../errors.ts';
import type { JsonObject } from '../wire/json.ts';
import { firstAddress } from './address.ts';
import { hostFacts } from './facts.ts';

/**
 * What `hello` answers about the machine: the members of the original, which took them from Python's psutil (protocol
 * a.7).
 */
export function systemInfo(): JsonObject {
  return {
    ...hostFacts(),
    memory: memoryNumbers(),
    cpucount: availableParallelism(),
    loadavg: loadavg(),
    cpu_percent: busyPercent(),
    hostname: hostname(),
    inet: firstAddress(),
  };
}

/**
 * total, available, percent, used, free, active, inactive, buffers, cached, shared, slab; bytes but for the percent.
 */
function memoryNumbers(): readonly number[] {
  const bytes = readMeminfo();
  const of = (name: string) => bytes.get(name) ?? 0;
  const total = of('MemTotal') || totalmem();
  const free = of('MemFree') || freemem();
  const available = of('MemAvailable') || free;
  const cached = of('Cached') + of('SReclaimable');
  return [
    total,
    available,
    Math.round(((total - available) / total) * 1000) / 10,
    Math.max(0, total - free - cached - of('Buffers')),
    free,
    of('Active'),
    of('Inactive'),
    of('Buffers'),
    cached,
    of('Shmem'),
    of('Slab'),
  ];
}

function readMeminfo(): ReadonlyMap<string, number> {
  try {
    const lines = readFileSync('/proc/meminfo', 'latin1').matchAll(/^(\w+):\s+(\d+) kB$/gm);
    return new Map([...lines].map(([, name, kib]) => [name ?? '', Number(kib) * 1024]));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return new Map(); // not Linux
    throw error;
  }
}

let earlier = cpuTicks();

/** How busy the processors were since this was last asked, in percent. */
function busyPercent(): number {
  const now = cpuTicks();
  const total = now.total - earlier.total;
  const busy = total - (now.idle - earlier.idle);
  earlier = now;
  return total <= 0 ? 0 : Math.round((busy / total) * 1000) / 10;
}

function cpuTicks(): { readonly total: number; readonly idle: number } {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { total, idle };
}
