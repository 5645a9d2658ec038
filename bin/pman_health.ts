#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readPmanConfig } from '../lib/config/pman.ts';
import { messageOf, PmanError, UsageError } from '../lib/errors.ts';
import { probe } from '../lib/server/probe.ts';

const PATIENCE_MS = 4000;

/**
 * The flags of the pman to ask: those given, or those that the container was started with: all that follows the
 * image's entry point in the command line of its first process.
 */
function pmanFlags(): readonly string[] {
  const given = process.argv.slice(2);
  if (given.length > 0) return given;
  const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1);
  const entry = words.findIndex((word) => word.endsWith('pman-entrypoint'));
  const flags = entry < 0 ? [] : words.slice(entry + 1);
  return flags[0] === 'pman' ? flags.slice(1) : flags;
}

/** Exit codes: 0 the pman with these flags and this environment is well, 1 it is not, 2 a wrong command line. */
try {
  const asked = readPmanConfig({ argv: pmanFlags(), env: process.env });
  if (asked.kind !== 'run') throw new UsageError('pman_health takes the flags of the pman to ask');
  console.log(await probe(asked.config, PATIENCE_MS));
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof PmanError;
  console.error(`pman_health: ${isExpected ? messageOf(error) : (error as Error).stack}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
