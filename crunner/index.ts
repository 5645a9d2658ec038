/** The library behind crunner and pman: runs a command line, one part or each part by itself, here or over ssh. */
export {
  crunner,
  type EndEvent,
  type PartStdio,
  type Run,
  type RunEvent,
  type RunOptions,
  type StartEvent,
  type StreamTarget,
} from './attached/runCommand.ts';
export { parseSshTarget, type SshConnection, SshError, type SshTarget } from './ssh/ssh.ts';
