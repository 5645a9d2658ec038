import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jobViewer } from '../../../../lib/jobs/container/jobViewer.ts';
import { isOf, outlineIn, outlineText } from '../../../../lib/records/outlineText.ts';
import {
  newRecord,
  recordDone,
  recordEnd,
  recordLost,
  recordStart,
} from '../../../../lib/records/record.ts';
import type { TreeNode } from '../../../../lib/tree/node.ts';
import { ExactNumber, type JsonObject } from '../../../../lib/wire/json.ts';
import { readShown } from '../../../../swarm/service/shownTask.ts';

const viewOf = jobViewer(readShown);

function shown(record: TreeNode | undefined): unknown {
  const view = record && viewOf(record);
  return view && { ...view, asked: view.asked(), leaves: [...record.leaves] };
}

interface Sketch {
  readonly text: string;
  readonly codes: readonly (number | null)[];
  readonly end: 'done' | 'lost';
  readonly container: JsonObject | null;
}

function recordOf({ text, codes, end, container }: Sketch): TreeNode {
  const asked = { rawMeta: { cmd: text, labels: { text } }, cmd: text, auid: text, jid: 'j' };
  const record = newRecord(container === null ? asked : { ...asked, container });
  if (container !== null) record.touch(['cmdMgr'], text);
  for (const [k, returncode] of codes.entries()) {
    recordStart(record, k, { cmd: text, pid: 7, startedAt: 1000 * k, host: { kernel: text } });
    const usage = { user_seconds: new ExactNumber('0.10000000000000000001') };
    const outputs = { stdout: `printed ${text}`, stderr: 'printed' };
    recordEnd(record, k, { endedAt: 1000 * k + 500, returncode, ...outputs, usage });
  }
  if (end === 'done') recordDone(record, codes.length);
  else recordLost(record, codes.length, 'nobody knows');
  return record;
}

const SMALL: Sketch = { text: 'x', codes: [0], end: 'done', container: null };

const text = fc.string({ unit: 'binary' });
const sketches: fc.Arbitrary<Sketch> = fc.record({
  text,
  codes: fc.array(fc.constantFrom(0, 1, -9, null), { maxLength: 4 }),
  end: fc.constantFrom('done', 'lost'),
  container: fc.option(
    fc.dictionary(
      fc.constantFrom('a', 'target', 'state'),
      fc.dictionary(fc.constantFrom('b'), text),
    ),
  ),
});

describe('outlineText', () => {
  it('shows a job of any kind as its record does, on one line of ASCII, without what it printed', () => {
    fc.assert(
      fc.property(sketches, (sketch) => {
        const record = recordOf(sketch);
        const line = outlineText('root', record) ?? '';
        expect(line).toMatch(/^[\x20-\x7e]*\n$/);
        expect(line).not.toContain('printed');
        expect(isOf('root', line)).toBe(true);
        expect(shown(outlineIn(line))).toEqual(shown(record));
      }),
    );
  });

  it('is nothing where a crash has cut or garbled the line', () => {
    const line = outlineText('root', recordOf(SMALL)) ?? '';
    for (let length = 0; length < line.length - 1; length += 1) {
      expect(outlineIn(line.slice(0, length))).toBeUndefined();
    }
    for (const outline of [
      '7',
      '{}',
      '{"leaves": 7}',
      '{"leaves": {}}',
      '{"leaves": {}, "tree": {"a": 7}}',
    ])
      expect(outlineIn(`{"root":"root","outline":${outline}}`)).toBeUndefined();
    expect(isOf('roo', line)).toBe(false);
  });

  it.each([
    ['a long command', { ...SMALL, text: 'x'.repeat(20_000) }],
    ['what takes more to write', { ...SMALL, text: 'ü'.repeat(4000) }],
    ['many parts', { ...SMALL, codes: Array.from({ length: 300 }, () => 0) }],
  ])('is not made of %s: the record is as soon read', (_, sketch) => {
    expect(outlineText('root', recordOf(sketch))).toBeUndefined();
  });

  it('is made of a job that has printed much', () => {
    const record = recordOf(SMALL);
    const ends = { 0: { doneTrigger: true, returncode: 0, stdout: 'x'.repeat(100_000) } };
    record.touch(['end', '0', 'endInfo'], ends);
    expect(outlineText('root', record)?.length).toBeLessThan(1000);
  });
});
