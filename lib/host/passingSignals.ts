/** Signals that stop a process, let it go on, or tell it something: no order to end it. */
const PASSING: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  ...(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT'] as const),
  ...(['SIGWINCH', 'SIGURG', 'SIGCHLD'] as const),
]);

/** Whether a job goes on after this signal, if it is not told otherwise by itself. */
export function isPassing(signal: NodeJS.Signals): boolean {
  return PASSING.has(signal);
}
