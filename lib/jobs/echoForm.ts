/** pman 2.2.4 registers a container job as a host job of this command. */
export function echoForm(cmd: string): string {
  return `echo "${cmd}"`;
}

/** The command of a job, from the form in which its record shows it. */
export function fromEchoForm(cmd: string): string {
  return /^echo "([\s\S]*)"$/.exec(cmd)?.[1] ?? cmd;
}
