import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readWords } from './flagWords.ts';
import { selectOne } from './selectors.ts';
import { pageUrl } from './serverUrl.ts';
import { COMMON_FLAGS, openSession } from './session.ts';
import type { Verb } from './verb.ts';

/** `pman open`: the page of the server, or of one job. */
export const open: Verb = {
  usage: ['[flags] [JOB]'],
  examples: [
    ['pman open', 'the page, in the browser'],
    ['pman open 7f3a', 'the page of a job'],
    ['pman open --print', 'its address alone'],
  ],
  flags: [{ name: 'print', help: 'prints the address, and opens nothing' }, ...COMMON_FLAGS],
  async run(call) {
    const words = readWords(call.argv, this.flags);
    const session = openSession(call, words);
    const { client, place, streams } = session;
    const job = words.rest.length === 0 ? undefined : await selectOne(session, words.rest);
    if (job === undefined) await client.server();
    const base = pageUrl(place.url);
    const url = job === undefined ? base : `${base}/jobs/${encodeURIComponent(job.id)}`;
    streams.out.line(url);
    const opener =
      streams.out.isTerminal && !words.switches.has('print') ? openerIn(call.env) : undefined;
    if (opener !== undefined) start(opener, url);
    return 0;
  },
};

/** The program that shows an address: there is none without a display. */
function openerIn({
  PATH = '',
  DISPLAY,
  WAYLAND_DISPLAY,
  BROWSER,
}: NodeJS.ProcessEnv): string | undefined {
  const isMac = process.platform === 'darwin';
  if (!isMac && !DISPLAY && !WAYLAND_DISPLAY && !BROWSER) return undefined;
  const name = isMac ? 'open' : 'xdg-open';
  return PATH.split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** It goes on when this process has ended. */
function start(program: string, url: string): void {
  const child = spawn(program, [url], { detached: true, stdio: 'ignore' });
  child.on('error', () => {});
  child.unref();
}
