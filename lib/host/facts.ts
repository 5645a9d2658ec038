import { hostname, machine, release, type as systemName, version } from 'node:os';
import type { JsonObject } from '../wire/json.ts';

/** What Python's `platform` module says about a machine, by its names. */
export interface PlatformFacts {
  readonly system: string;
  readonly machine: string;
  readonly platform: string;
  readonly node: string;
  readonly release: string;
  readonly version: string;
}

/** The facts of this machine. */
export function platformFacts(): PlatformFacts {
  const glibc = glibcVersion();
  const [system, arch] = [systemName(), machine()];
  return {
    system,
    machine: arch,
    platform: [system, release(), arch, ...(glibc ? ['with', `glibc${glibc}`] : [])].join('-'),
    node: hostname(),
    release: release(),
    version: version(),
  };
}

/** The same as the members that each sub-job entry of a record has about the machine it ran on. */
export function hostFacts(): JsonObject {
  const { system, machine, platform, node, release, version } = platformFacts();
  // The last of Python's uname is the processor's name, which Linux does not tell.
  return {
    system,
    machine,
    platform,
    uname: [system, node, release, version, machine, ''],
    version,
  };
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: unknown } };
  const found = report?.header?.glibcVersionRuntime;
  return typeof found === 'string' ? found : undefined;
}
