import { hostname, machine, release, type as systemName, version } from 'node:os';

/** What a job record says about the machine it ran on, named as Python's `platform` module does. */
export interface HostFacts {
  readonly system: string;
  readonly machine: string;
  readonly platform: string;
  readonly node: string;
  readonly release: string;
  readonly version: string;
}

export function hostFacts(): HostFacts {
  const libc = libcName();
  return {
    system: systemName(),
    machine: machine(),
    platform: [systemName(), release(), machine(), ...(libc === '' ? [] : ['with', libc])].join(
      '-',
    ),
    node: hostname(),
    release: release(),
    version: version(),
  };
}

/** `glibc2.36`, or nothing where Node runs on another C library. */
function libcName(): string {
  const report: unknown = process.report.getReport();
  const { header } = report as { readonly header?: { readonly glibcVersionRuntime?: string } };
  const libc = header?.glibcVersionRuntime;
  return libc === undefined ? '' : `glibc${libc}`;
}
