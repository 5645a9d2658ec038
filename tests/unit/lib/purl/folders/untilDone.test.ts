import { describe, expect, it } from '@jest/globals';
import { PurlFailure } from '../../../../../lib/purl/failure.ts';
import { untilDone } from '../../../../../lib/purl/folders/untilDone.ts';

const notes: string[] = [];
const way = (mostTries: number) => ({
  ...{ url: new URL('http://host'), signal: undefined, mostTries },
  show: { note: (text: string) => void notes.push(text), begin() {}, at() {}, end() {} },
});
const lost = () => new PurlFailure('partial', 'it broke off');

/** Tries until `tries` have been made, each of which tells what is kept by then. */
async function triesOf(mostTries: number, kept: readonly number[]): Promise<number> {
  let tries = 0;
  const options = way(mostTries) as unknown as Parameters<typeof untilDone>[0];
  try {
    await untilDone(options, async (tell) => {
      const bytes = kept[tries];
      tries += 1;
      if (bytes === undefined) return;
      tell(bytes);
      throw lost();
    });
  } catch (error) {
    expect(error).toMatchObject({ kind: 'partial' });
  }
  return tries;
}

describe('a transfer whose connection is lost', () => {
  it('is given up when the server answers each time and nothing comes of it', async () => {
    expect(await triesOf(1, [0, 0, 0, 0])).toBe(2);
    expect(await triesOf(1, [7, 7, 7, 7])).toBe(2);
  });

  it('goes on as long as each try brings something', async () => {
    notes.length = 0;
    expect(await triesOf(1, [0, 10, 20])).toBe(4);
    // The pauses do not grow then.
    expect(notes.every((note) => note.endsWith('again in 1 s'))).toBe(true);
  });

  it('is not tried again with a server that was never there', async () => {
    let tries = 0;
    const never = untilDone(way(5) as unknown as Parameters<typeof untilDone>[0], async () => {
      tries += 1;
      throw new PurlFailure('connect', 'nobody is there');
    });
    await expect(never).rejects.toMatchObject({ kind: 'connect' });
    expect(tries).toBe(1);
  });
});
