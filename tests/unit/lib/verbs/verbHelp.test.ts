import { describe, expect, it } from '@jest/globals';
import { widthOf } from '../../../../lib/terminal/width.ts';
import { VERBS, verbRow } from '../../../../lib/verbs/index.ts';
import { TOPICS } from '../../../../lib/verbs/topics.ts';
import { overview, verbHelp } from '../../../../lib/verbs/verbHelp.ts';

describe('the help', () => {
  it('of pman fits on a small terminal and names every command', () => {
    const lines = overview().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    for (const { name } of VERBS) expect(overview()).toMatch(new RegExp(`^.{8}${name} `, 'm'));
  });

  it.each(VERBS.filter(({ load }) => load !== undefined).map((row) => [row.name, row] as const))(
    'of %s begins with examples that name it, and fits',
    async (name, row) => {
      const verb = await row.load?.();
      if (verb === undefined) throw new Error('it is not there');
      const lines = verbHelp(row, verb).split('\n');
      expect(lines[0]).toContain(`pman ${name}`);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(120);
      const letters = verb.flags.flatMap(({ short }) => short ?? []);
      expect(new Set(letters).size).toBe(letters.length);
      const names = verb.flags.map((flag) => flag.name);
      expect(new Set(names).size).toBe(names.length);
      expect([...names, ...letters]).not.toContain('help');
    },
  );

  it('knows each command by one name and its aliases', () => {
    const names = VERBS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(['log', 'ps', 'status', 'stop', 'retry'].map((word) => verbRow(word)?.name)).toEqual([
      ...['logs', 'ls', 'ls', 'kill', 'rerun'],
    ]);
  });

  it('has topics', () => {
    expect([...TOPICS.keys()]).toEqual(['exit-codes', 'json', 'selectors', 'server']);
  });
});
