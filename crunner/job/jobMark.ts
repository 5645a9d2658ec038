/** The variable that says to all processes of a job of pman which one they belong to: its job root. */
export const JOB_VARIABLE = 'JOB_OF_PMAN';

/** That variable as the environment of a process has it. */
export function jobMark(root: string): string {
  return `${JOB_VARIABLE}=${root}`;
}
