/** Where, and with which variables, a program is started; default: as this process. */
export interface Surroundings {
  readonly cwd?: string;
  /** All of them: nothing of this process's own is added, but for the name of the job (`JOB_OF_CRUNNER`). */
  readonly env?: NodeJS.ProcessEnv;
}
