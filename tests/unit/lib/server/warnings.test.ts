import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PUT_MEMBERS, warningsOf } from '../../../../lib/server/warnings.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../lib/wire/json.ts';
import { jsonOrUndefined } from '../../../../lib/wire/maybeJson.ts';

const warnings = (action: string, rawMeta: JsonObject) =>
  warningsOf({ action, rawMeta, threaded: false });

describe('what a command may not mean as it stands', () => {
  it.each<[string, JsonObject, readonly RegExp[]]>([
    ['run', { cmd: 'x', timout: 5 }, [/"meta.timout".*"meta.timeout"/]],
    ['run', { cmd: 'x', treaded: true, JID: 'a' }, [/threaded/, /"meta.jid"/]],
    ['run', { threaded: 'false' }, [/"meta.threaded" is the text "false"/]],
    ['run', { threaded: 'False', timeout: 3 }, [/counts as true/]],
    ['status', { key: 'jid', valeu: 'x' }, [/"meta.value"/]],
    ['hello', { askabout: 'timestamp' }, [/"meta.askAbout"/]],
    ['fileiosetup', { serveforever: 'no' }, [/"meta.serveforever"/]],
    ['run', { threaded: 'true', note: 'false', service: 'pman' }, []],
    ['run', { timeout: 3, timout: 3 }, []],
    ['nosuch', { timout: 3 }, []],
  ])('%s %j', (action, meta, meant) => {
    const told = warnings(action, meta);
    expect(told).toHaveLength(meant.length);
    for (const [i, text] of told.entries()) expect(text).toMatch(meant[i] ?? '');
  });

  it('is told of ten at most', () => {
    const meta = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`timeou${i % 10}${i}`, 1]),
    );
    expect(warnings('run', meta).length).toBeLessThanOrEqual(10);
  });

  it('is nothing in what the original was recorded with, but for a text that counts as true', () => {
    const folder = 'tests/golden/transcripts';
    let commands = 0;
    for (const file of readdirSync(folder).filter((name) => name.startsWith('pman'))) {
      for (const payload of payloadsIn(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
        const { action, meta } = payload;
        if (typeof action !== 'string' || !isJsonObject(meta)) continue;
        commands += 1;
        const meant = meta.threaded === 'false' ? [expect.stringContaining('threaded')] : [];
        expect([file, payload, warnings(action, meta)]).toEqual([file, payload, meant]);
        const put = { action, rawMeta: meta, threaded: false };
        if (meta.context !== undefined) expect(warningsOf(put, PUT_MEMBERS)).toEqual([]);
      }
    }
    expect(commands).toBeGreaterThan(50);
  });
});

/** Every payload in a recording, also those that stand in a text. */
function* payloadsIn(value: JsonValue): Generator<JsonObject> {
  if (typeof value === 'string') {
    const from = value.indexOf('{"');
    const inner = from < 0 ? undefined : jsonOrUndefined(value.slice(from));
    if (isJsonObject(inner as JsonValue)) yield* payloadsIn(inner as JsonValue);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (isJsonObject(value) && isJsonObject(value.payload)) yield value.payload;
  for (const member of Object.values(value)) yield* payloadsIn(member as JsonValue);
}
