import { ExactNumber, isJsonObject, type JsonValue } from './json.ts';

/** The same value with every number as JavaScript has it: for those who need no echo to the digit. */
export function plainNumbers(value: JsonValue): JsonValue {
  if (value instanceof ExactNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, plainNumbers(member)]),
  );
}
