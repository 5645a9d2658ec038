import { z } from 'zod';
import { isJsonObject, type JsonValue } from './json.ts';

/**
 * Objects whose members are texts, under any name, as they are.
 * Not z.record: that leaves out a member named `__proto__`, and a job would run without a variable that it was given.
 * @param text what each member has to be
 * @param message what is said of a value that is no object
 */
export function textMap(text: z.ZodType<string>, message: string) {
  return z.custom<Readonly<Record<string, string>>>().superRefine((value: unknown, context) => {
    if (!isJsonObject(value as JsonValue)) {
      context.addIssue({ code: 'custom', message, continue: false });
      return;
    }
    for (const [name, member] of Object.entries(value as object)) {
      for (const issue of text.safeParse(member).error?.issues ?? []) {
        context.addIssue({ code: 'custom', path: [name], message: issue.message });
      }
    }
  });
}
