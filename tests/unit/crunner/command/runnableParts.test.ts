import { describe, expect, it } from '@jest/globals';
import { runnableParts } from '../../../../crunner/command/runnableParts.ts';

describe('runnableParts', () => {
  const of = (line: string) => runnableParts({ line, maxParts: 3 });

  it('gives each part of a line', () => {
    expect(of('a; b; c')).toEqual(['a', ' b', ' c']);
  });

  it('leaves a line of more parts whole', () => {
    expect(of('a; b; c; d')).toEqual(['a; b; c; d']);
  });

  it('makes lines of very many commands: a shell would go too deep', () => {
    const line = `echo ';'${';a'.repeat(20_000)}`;
    expect(of(line)).toEqual([`echo ';'${'\na'.repeat(20_000)}`]);
  });
});
