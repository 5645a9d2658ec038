import { describe, expect, it } from '@jest/globals';
import { TextRoom } from '../../../../lib/pfioh/textRoom.ts';

describe('TextRoom', () => {
  it('bounds all requests together, and lets each have a little whatever the others have', () => {
    const room = new TextRoom(100, 10);
    const [first, second, small] = [room.enter(), room.enter(), room.enter()];
    first.take(60);
    expect(() => second.take(61)).toThrow('too many');
    small.take(10);
    expect(() => small.take(51)).toThrow('too many');
  });

  it('has room again for others when one has left', () => {
    const room = new TextRoom(100, 10);
    const first = room.enter();
    first.take(50);
    first.take(60);
    const second = room.enter();
    expect(() => second.take(11)).toThrow('too many');
    first.leave();
    first.leave();
    first.take(1000); // What still comes for it is not kept.
    const third = room.enter();
    third.take(110);
    expect(() => room.enter().take(11)).toThrow('too many');
  });
});
