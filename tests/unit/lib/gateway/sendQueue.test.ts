import { describe, expect, it } from '@jest/globals';
import type { SendOutcome } from '../../../../lib/gateway/rawRouter.ts';
import { SendQueue } from '../../../../lib/gateway/sendQueue.ts';

const id = Buffer.from([0, 0, 0, 0, 1]);

function open(outcome: (text: string) => Promise<SendOutcome> = async () => 'sent') {
  const offered: string[] = [];
  const queue = new SendQueue({
    offer: ([, bytes = ''], settle, fail) => {
      offered.push(String(bytes));
      outcome(String(bytes)).then(settle, fail);
    },
  });
  const send = (text: string): Promise<SendOutcome> =>
    new Promise((settle, fail) => queue.send(id, text, settle, fail));
  return { offered, send };
}

describe('messages to clients', () => {
  it('go out together, in the order in which they came', async () => {
    const { offered, send } = open();
    const sent = ['a', 'b', 'c'].map(send);
    expect(offered).toEqual([]);
    await Promise.all(sent);
    expect(offered).toEqual(['a', 'b', 'c']);
  });

  it('go out before the turn is over when they are many', () => {
    const { offered, send } = open();
    for (let i = 0; i < 100; i += 1) void send(String(i));
    expect(offered.length).toBeGreaterThan(50);
    expect(offered).toEqual(offered.map((_, i) => String(i)));
  });

  it('that are long go out at once, behind those that came before', () => {
    const { offered, send } = open();
    void send('short');
    const long = 'x'.repeat(65_536);
    void send(long);
    expect(offered).toEqual(['short', long]);
  });

  it('each have their own fate', async () => {
    const { send } = open(async (text) => {
      if (text === 'broken') throw new Error('the socket is closed');
      return text === 'full' ? 'full' : 'sent';
    });
    const sent = ['one', 'full', 'broken', 'two'].map(send);
    expect(await Promise.allSettled(sent)).toMatchObject([
      { value: 'sent' },
      { value: 'full' },
      { status: 'rejected' },
      { value: 'sent' },
    ]);
  });
});
