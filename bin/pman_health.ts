#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readPmanConfig } from '../lib/config/pman.ts';
import { errorReport } from '../lib/errorReport.ts';
import { UsageError } from '../lib/errors.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { probe } from '../lib/server/probe.ts';
import { VERSION } from '../lib/version.ts';

const PATIENCE_MS = 4000;
const HELP = `Usage: pman_health [options]

Asks the pman that was started with these options, and with this environment, how it is. Ends with 0 when it is well.

`;

/**
 * The flags of the pman to ask: those given, or those that the container was started with, which are all that follows
 * the image's entry point in the command line of its first process. Undefined when the container runs something else.
 */
function pmanFlags(): readonly string[] | undefined {
  const given = process.argv.slice(2);
  if (given.length > 0) return given;
  const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1);
  const entry = words.findIndex((word) => word.endsWith('pman-entrypoint'));
  const flags = entry < 0 ? [] : words.slice(entry + 1);
  if (flags[0] === 'pman') return flags.slice(1);
  return flags[0] === undefined || flags[0].startsWith('-') ? flags : undefined;
}

async function answer(): Promise<string> {
  const argv = pmanFlags();
  if (argv === undefined) return 'no pman was started here\n';
  const asked = readPmanConfig({ argv, env: process.env });
  if (asked.kind === 'run') return `${await probe(asked.config, PATIENCE_MS)}\n`;
  if (asked.kind === 'version') return `Version: ${VERSION}\n`;
  return asked.kind === 'print' ? HELP + asked.text.replace(/^Usage:.*\n\n.*\n\n/, '') : HELP;
}

/** Exit codes: 0 the pman is well, 1 it is not, 2 a wrong command line. */
async function main(): Promise<number> {
  try {
    process.stdout.write(await answer());
    return 0;
  } catch (error) {
    console.error(errorReport('pman_health', error));
    return error instanceof UsageError ? 2 : 1;
  }
}

heedOutput('pman_health');
// No await: this program is bundled as a CommonJS module, which has none at its top.
void main().then((status) => {
  process.exitCode = status;
});
