import type { Job } from './index.ts';

/** What people call a job: its own name, or the program that it runs. */
export function nameOf({ jid, command }: Pick<Job, 'jid' | 'command'>): string {
  if (jid !== null && jid !== '') return jid;
  const words = command.trim().split(/\s+/);
  const program = words.find((word) => !/^[A-Za-z_]\w*=/.test(word)) ?? '';
  return program.replace(/^.*\/(?=[^/])/, '').replace(/[;'"]+$/, '');
}
