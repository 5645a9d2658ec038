import { randomUUID } from 'node:crypto';
import { quote } from '../command/shellArguments.ts';
import type { JobLimits } from '../job/jobLimits.ts';
import { fitsSsh, remoteCommand } from './ssh.ts';

/** What tells the wrapper's records from the command's own words: hard to guess, and harmless to every shell. */
export function newMarker(): string {
  return `crunner-${randomUUID()}:`;
}

/**
 * The text for the remote login shell that runs a command under limits. What cannot be done there says so on the
 * command's standard error and ends it with 126, as on this host.
 * @throws SshError for a command with a NUL
 */
export function limitedCommand(command: string, limits: JobLimits, marker = newMarker()): string {
  const { cwd, env, memoryBytes, cpus, nice } = limits;
  const steps = [
    ...(cpus === undefined ? [] : [onProcessors(Math.ceil(cpus))]),
    ...(cwd === undefined ? [] : [`cd -- ${quote(cwd)}`]),
    ...Object.entries(env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(memoryBytes === undefined ? [] : [`ulimit -v ${Math.ceil(memoryBytes / 1024)}`]),
  ];
  if (steps.length === 0 && nice === undefined) return remoteCommand(command, marker);
  const become = `exec ${nice === undefined ? '' : `nice -n ${nice} `}/bin/sh -c -- ${quote(command)}`;
  return remoteCommand([...steps.map((step) => `${step} || exit 126`), become].join('; '), marker);
}

/**
 * Has the shell run on so many of the processors that it may run on, not always the first ones: all that it starts does, too.
 * Their list is that of util-linux or busybox: 0-3,8. Names of variables stay in the shell within `$(…)`.
 */
function onProcessors(count: number): string {
  const all =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
    'set --; IFS=,; for r in $l; do i=${r%-*}; while test $i -le ${r#*-}; do set -- "$@" $i; i=$((i+1)); done; done';
  const turned =
    's=$(($$%$#)); while test $s -gt 0; do i=$1; shift; set -- "$@" $i; s=$((s-1)); done';
  const first = `s=${count}; while test $s -gt 0 && test $# -gt 0; do printf %s, $1; shift; s=$((s-1)); done`;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
  const allowed = 'l=$(taskset -cp $$) && l=${l##*: }';
  // The last comma is one too many for busybox.
  const list = `$(${allowed} && { ${all}; ${turned}; ${first}; echo; } | sed "s/,$//")`;
  const missing = 'echo "pman: this host has no taskset to limit processors with" >&2; exit 126';
  return `{ command -v taskset >/dev/null || { ${missing}; }; taskset -cp "${list}" $$ >/dev/null; }`;
}

/** Whether ssh can carry a command with the connection; a longer one has to be put on its host before. */
export function isCarried(command: string, limits: JobLimits = {}): boolean {
  // What is longer than this need not be looked at.
  return command.length < 128 * 1024 && fitsSsh(limitedCommand(command, limits));
}
