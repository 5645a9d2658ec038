import { hostname, machine, release, type as systemName, version } from 'node:os';
import type { JsonObject } from '../wire/json.ts';

/**
 * What each sub-job entry says about the machine it ran on: the members and the wording of Python's
 * `platform` module, which the original records.
 */
export function hostFacts(): JsonObject {
  const glibc = glibcVersion();
  const system = systemName();
  return {
    system,
    machine: machine(),
    platform: [system, release(), machine(), ...(glibc ? ['with', `glibc${glibc}`] : [])].join('-'),
    uname: [system, hostname(), release(), version(), machine(), ''],
    version: version(),
  };
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: unknown } };
  const found = report?.header?.glibcVersionRuntime;
  return typeof found === 'string' ? found : undefined;
}
