import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  Journal,
  type JournalLine,
  type Known,
  learn,
} from '../../../../lib/webhooks/deliveryJournal.ts';
import { nextDelivery } from '../../../../lib/webhooks/state.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

const subscription = (id: string) => ({
  ...{ id, root: 'r', url: 'https://a.example/', secretName: 'default', seen: 0 },
  ...{ isClosed: false, isStopped: false, deliveries: [] },
  events: ['ended' as const],
});
const delivery = (seq: number, state: 'waiting' | 'delivered') => ({
  ...{ seq, state, type: 'ended' as const, message: `evt_${seq}`, tries: 1 },
});

const empty = (): Known => ({ fed: undefined, subscriptions: new Map() });

describe('Journal', () => {
  it('knows after a crash what it knew before', () => {
    const file = join(tempDir(), 'webhooks.jsonl');
    const lines: JournalLine[] = [
      { subscription: subscription('r/0') },
      { of: 'r/0', delivery: delivery(3, 'delivered') },
      { of: 'r/0', delivery: delivery(5, 'waiting') },
      { closed: 'r/0' },
      { subscription: subscription('r/1') },
      { stopped: 'r/1' },
      { subscription: subscription('r/2') },
      { forgotten: 'r/2' },
      { fed: 5 },
    ];
    const told = empty();
    for (const line of structuredClone(lines)) learn(told, line);
    const journal = new Journal(file);
    journal.append(lines);
    appendFileSync(file, '{"fed": 9'); // a crash has cut it
    expect(new Journal(file).read()).toEqual(told);
    const again = new Journal(file);
    const known = again.read();
    again.tidy(known, true);
    again.append([{ fed: 6 }]);
    expect(new Journal(file).read()).toEqual({ ...told, fed: 6 });
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  });

  it('leaves out what is no line of it, and is empty without a file', () => {
    const file = join(tempDir(), 'webhooks.jsonl');
    expect(new Journal(file).read()).toEqual(empty());
    writeFileSync(file, 'nonsense\n{"of":"x"}\n\n{"fed":2}\n[]\n');
    expect(new Journal(file).read()).toEqual({ ...empty(), fed: 2 });
  });

  it('remembers 50 deliveries that are over, and all that wait', () => {
    const known = empty();
    learn(known, { subscription: subscription('r/0') });
    learn(known, { of: 'r/0', delivery: delivery(1, 'waiting') });
    for (let seq = 2; seq < 200; seq += 1) {
      learn(known, { of: 'r/0', delivery: delivery(seq, 'delivered') });
    }
    const of = known.subscriptions.get('r/0');
    expect(of?.deliveries.map(({ seq }) => seq)).toEqual([
      1,
      ...Array.from({ length: 50 }, (_, i) => 150 + i),
    ]);
    expect(of && nextDelivery(of)?.seq).toBe(1);
  });

  it('is written anew when most of it is of the past', () => {
    const file = join(tempDir(), 'webhooks.jsonl');
    const journal = new Journal(file);
    const known = empty();
    for (let i = 0; i < 250; i += 1) {
      const lines = Array.from({ length: 100 }, (_, k) => ({ fed: i * 100 + k }));
      journal.append(lines);
      for (const line of lines) learn(known, line);
      journal.tidy(known);
    }
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(20_002);
    expect(new Journal(file).read().fed).toBe(24_999);
  });
});
