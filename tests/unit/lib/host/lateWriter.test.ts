import { describe, expect, it } from '@jest/globals';
import { LateWriter } from '../../../../lib/host/lateWriter.ts';
import { eventually } from '../../../helpers/eventually.ts';

describe('LateWriter', () => {
  it('writes what comes together at once, soon, in order, and nothing twice', async () => {
    const written: string[] = [];
    const writer = new LateWriter((text) => written.push(text));
    for (const text of ['a', 'b', 'c']) writer.add(text);
    expect(written).toEqual([]);
    await eventually(() => written.length > 0, { message: 'the texts to be written' });
    writer.add('d');
    writer.flush();
    writer.flush();
    expect(written).toEqual(['abc', 'd']);
  });

  it('does not wait once there is much to be written', () => {
    const written: string[] = [];
    const writer = new LateWriter((text) => written.push(text));
    const text = 'x'.repeat(40_000);
    writer.add(text);
    writer.add(text);
    expect(written).toEqual([text + text]);
  });
});
