import { answerLength, type JsonValue } from '../wire/json.ts';

/** About how many characters some members take in an answer. */
export function membersLength(members: readonly (readonly [string, JsonValue])[]): number {
  return members.reduce((sum, [name, value]) => sum + name.length + answerLength(value), 0);
}
