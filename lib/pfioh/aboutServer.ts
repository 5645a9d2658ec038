import { compactStamp } from '../host/stamps.ts';
import { systemInfo } from '../host/systemInfo.ts';
import { VERSION } from '../version.ts';
import type { JsonObject } from './answer.ts';

/** The answer to the verb `hello`, as pman's: the time, the machine or an echo. */
export function aboutServer(
  meta: JsonObject,
  userAgent: string,
): { d_ret: JsonObject; status: boolean } {
  const { askAbout } = meta;
  const end = { 'User-agent': userAgent };
  if (askAbout === undefined) return { d_ret: end, status: false };
  const who = { name: 'pfioh', version: VERSION };
  if (askAbout === 'timestamp') {
    const now = compactStamp(Date.now());
    return { d_ret: { ...who, timestamp: { now }, ...end }, status: true };
  }
  if (askAbout === 'sysinfo') {
    return { d_ret: { ...who, sysinfo: systemInfo(), ...end }, status: true };
  }
  if (askAbout === 'echoBack') {
    return { d_ret: { ...who, echoBack: { msg: meta.echoBack ?? null }, ...end }, status: true };
  }
  return { d_ret: { ...who, ...end }, status: false };
}
