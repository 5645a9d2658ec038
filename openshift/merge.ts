import { isJsonObject, type JsonObject, type JsonValue } from '../lib/wire/json.ts';

/** By what the things of a list are told apart, in lists where each is there once. */
const KEYS = ['name', 'mountPath', 'key'] as const;

/**
 * Puts one object over another: what both have is that of `over`. Objects in them are merged; lists of things with a name (or a
 * path, or a key) have each of them once; of other lists both are kept.
 */
export function mergedOver(under: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const known = Object.hasOwn(under, name) ? under[name] : undefined;
    merged[name] = known === undefined ? value : mergedValue(known, value);
  }
  return merged;
}

function mergedValue(under: JsonValue, over: JsonValue): JsonValue {
  if (isJsonObject(under) && isJsonObject(over)) return mergedOver(under, over);
  if (!Array.isArray(under) || !Array.isArray(over)) return over;
  const key = KEYS.find((name) =>
    [...under, ...over].every((one) => isJsonObject(one) && name in one),
  );
  if (key === undefined) return [...over, ...under];
  const keyOf = (one: JsonValue) => (isJsonObject(one) ? one[key] : undefined);
  const below = new Map(under.map((one) => [keyOf(one), one]));
  const merged = over.map((one) => {
    const known = below.get(keyOf(one));
    below.delete(keyOf(one));
    return known === undefined ? one : mergedValue(known, one);
  });
  return [...merged, ...below.values()];
}
