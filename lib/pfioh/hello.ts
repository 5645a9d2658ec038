import { readFileSync } from 'node:fs';
import os from 'node:os';
import { VERSION } from '../version.ts';
import type { JsonObject } from './reply.ts';

/** The answer to `hello`, as pman's: the time, the machine or an echo. */
export function hello(meta: JsonObject, userAgent: string): { d_ret: JsonObject; status: boolean } {
  const { askAbout } = meta;
  const end = { 'User-agent': userAgent };
  if (askAbout === undefined) return { d_ret: end, status: false };
  const who = { name: 'pfioh', version: VERSION };
  if (askAbout === 'timestamp')
    return { d_ret: { ...who, timestamp: { now: now() }, ...end }, status: true };
  if (askAbout === 'sysinfo')
    return { d_ret: { ...who, sysinfo: sysinfo(), ...end }, status: true };
  if (askAbout === 'echoBack') {
    return { d_ret: { ...who, echoBack: { msg: meta.echoBack ?? null }, ...end }, status: true };
  }
  return { d_ret: { ...who, ...end }, status: false };
}

/** `YYYYMMDDhhmmss.ffffff`, local. */
function now(): string {
  const at = new Date();
  const two = (n: number, width = 2) => String(n).padStart(width, '0');
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const time = `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
  return `${day}${time}.${two(at.getMilliseconds(), 3)}000`;
}

function sysinfo(): JsonObject {
  const platform = `${os.type()}-${os.release()}-${os.machine()}`;
  return {
    system: os.type(),
    machine: os.machine(),
    platform,
    uname: [os.type(), os.hostname(), os.release(), os.version(), os.machine(), ''],
    version: os.version(),
    memory: memory(),
    cpucount: os.cpus().length,
    loadavg: os.loadavg(),
    cpu_percent: Math.min(100, Math.round((1000 * (os.loadavg()[0] ?? 0)) / os.cpus().length) / 10),
    hostname: os.hostname(),
    inet: firstAddress(),
  };
}

/** total, available, percent, used, free, active, inactive, buffers, cached, shared, slab: bytes. */
function memory(): number[] {
  const values = new Map<string, number>();
  try {
    for (const [, name = '', kib] of readFileSync('/proc/meminfo', 'utf8').matchAll(
      /^(\w+):\s+(\d+) kB/gm,
    )) {
      values.set(name, Number(kib) * 1024);
    }
  } catch {
    // No Linux: what Node knows has to do.
  }
  const get = (name: string) => values.get(name) ?? 0;
  const total = os.totalmem();
  const free = os.freemem();
  const available = values.get('MemAvailable') ?? free;
  const percent = Math.round((1000 * (total - available)) / total) / 10;
  const rest = ['Active', 'Inactive', 'Buffers', 'Cached', 'Shmem', 'Slab'].map(get);
  return [total, available, percent, total - available, get('MemFree') || free, ...rest];
}

/** The first address that is not the loopback's, else that. */
export function firstAddress(): string {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
