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

/** Linux gives a program no variable of more, its name, `=` and the final NUL included (execve(2), MAX_ARG_STRLEN). */
export const MAX_VARIABLE_BYTES = 128 * 1024;
/** All of them together: about the most that Linux takes where the stack has its usual 8 MiB, less what a program is given else. */
const MAX_VARIABLES_BYTES = 1.5 * 1024 * 1024;

/**
 * Objects that are environment variables: texts that a program can be given.
 * @param text what each value has to be
 */
export function variables(text: z.ZodType<string>) {
  return textMap(text, 'is not an object of strings').superRefine((env, context) => {
    let all = 0;
    for (const [name, value] of Object.entries(env)) {
      const bytes = Buffer.byteLength(name) + Buffer.byteLength(String(value)) + 2;
      all += bytes;
      if (bytes <= MAX_VARIABLE_BYTES) continue;
      const message = 'is longer than the 128 KiB that a variable can have; put it into a file';
      context.addIssue({ code: 'custom', path: [name], message });
    }
    if (all <= MAX_VARIABLES_BYTES) return;
    const message = 'has more than 1.5 MiB in all, too much for programs; put it into a file';
    context.addIssue({ code: 'custom', message });
  });
}
