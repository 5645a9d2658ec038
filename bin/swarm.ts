#!/usr/bin/env node
import { homedir } from 'node:os';
import { hintOf } from '../lib/errorReport.ts';
import { messageOf, UsageError } from '../lib/errors.ts';
import { splitIntoWords } from '../lib/jobs/container/words.ts';
import { heedOutput } from '../lib/programOutput.ts';
import { VERSION } from '../lib/version.ts';
import type { JsonValue } from '../lib/wire/json.ts';
import { dumps } from '../lib/wire/pythonJson.ts';
import { help, parseFlags, type SwarmCommand, usage } from '../swarm/cli/flags.ts';
import { baseUrlOf } from '../swarm/client/confFile.ts';
import { openSwarm } from '../swarm/service/manager.ts';
import { restartPolicyOf } from '../swarm/service/serviceSpec.ts';

/** Does what the command line asks for; returns what is to be printed. */
async function run(command: SwarmCommand): Promise<string> {
  if (command.kind === 'help') return help;
  if (command.kind === 'synopsis') return usage;
  if (command.kind === 'version') return `Version: ${VERSION}\n`;
  const { conffile } = command;
  const baseUrl = conffile === undefined ? undefined : await baseUrlOf(conffile);
  const settings = { env: process.env, home: homedir(), ...(baseUrl && { baseUrl }) };
  const swarm = await openSwarm(settings);
  switch (command.kind) {
    case 'schedule': {
      const { name, image, commandLine, restartPolicy, shareDir, options } = command;
      await swarm.schedule({
        ...options,
        name,
        image,
        command: splitIntoWords(commandLine),
        restartPolicy: restartPolicyOf(restartPolicy),
        ...(shareDir !== undefined && { shareDir }),
      });
      return '';
    }
    case 'state':
      // The engine's answer was JSON, so it is a JsonValue.
      return `${dumps((await swarm.state(command.name)) as JsonValue)}\n`;
    case 'remove':
      await swarm.remove(command.name);
      return '';
  }
}

/** Exit codes as swarm.py: 0 done, 1 failed, 2 wrong command line. */
async function main(args: readonly string[]): Promise<number> {
  let command: SwarmCommand;
  try {
    command = parseFlags(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${usage}swarm: error: ${error.message}\n`);
    return 2;
  }
  try {
    process.stdout.write(await run(command));
    return 0;
  } catch (error) {
    const hint = hintOf(error);
    process.stderr.write(`swarm: ${messageOf(error)}${hint === undefined ? '' : ` (${hint})`}\n`);
    return 1;
  }
}

heedOutput('swarm');
// No await: this program is bundled as a CommonJS module, which has none at its top.
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
