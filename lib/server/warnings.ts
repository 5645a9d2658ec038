import { z } from 'zod';
import { actions } from '../actions/index.ts';
import { put } from '../actions/put.ts';
import { nearName } from '../wire/nearName.ts';
import type { Command } from '../wire/request.ts';

/** What everything that dispatches reads of `meta` (protocol a.5). */
const OF_EVERY_ACTION = ['threaded'] as const;
/** Members of which only the truth counts, as Python sees it: a text is true unless it is empty. */
const SWITCHES = ['threaded', 'serveforever'] as const;
const MEANS_NO = /^(false|no|off|none|null|0)$/i;
const MAX_WARNINGS = 10;
/** What nobody writes by hand has no slips of the pen. */
const MAX_MEMBERS = 1000;

/** What in a command may not be what its sender means, though it is obeyed as it stands; empty as a rule. */
export function warningsOf({ action, rawMeta }: Command, known = membersOf(action)): string[] {
  const warnings: string[] = [];
  if (known === undefined) return warnings;
  for (const name of Object.keys(rawMeta).slice(0, MAX_MEMBERS)) {
    if (warnings.length >= MAX_WARNINGS) break;
    if (known.includes(name)) continue;
    const nearest = nearName(name, known);
    if (nearest === undefined || Object.hasOwn(rawMeta, nearest)) continue;
    warnings.push(
      `"meta.${name.slice(0, 80)}" means nothing to ${action}; is "meta.${nearest}" meant?`,
    );
  }
  for (const name of SWITCHES) {
    const value = rawMeta[name];
    if (!known.includes(name) || typeof value !== 'string' || !MEANS_NO.test(value)) continue;
    warnings.push(
      `"meta.${name}" is the text ${JSON.stringify(value)}, which counts as true; false without quotes is false`,
    );
  }
  return warnings;
}

const membersByAction: ReadonlyMap<string, readonly string[]> = new Map(
  [...actions].map(([name, { schema }]) => [name, namesIn(schema)]),
);

function membersOf(action: string): readonly string[] | undefined {
  return membersByAction.get(action);
}

/** The members that a PUT reads. */
export const PUT_MEMBERS: readonly string[] = namesIn(put.schema);

function namesIn(schema: z.ZodType): readonly string[] {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return [...names, ...OF_EVERY_ACTION];
}
