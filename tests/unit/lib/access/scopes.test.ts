import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SCOPES } from '../../../../lib/access/caller.ts';
import { NEEDED_SCOPES, requireScope } from '../../../../lib/access/scopes.ts';
import { actions } from '../../../../lib/actions/index.ts';

describe('the table of scopes', () => {
  it('has every action of pman, and what only a path asks for', () => {
    expect(Object.keys(NEEDED_SCOPES.pman).sort()).toEqual(
      [...actions.keys(), 'GET', 'PUT', 'metrics', 'notify'].sort(),
    );
  });

  it('is the one that the document shows', () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const told = new Map<string, string>();
    for (const [, scope = '', pman = '', pfioh = ''] of page.matchAll(
      /^\| `?(any|read|run|kill|transfer|admin)`? \|(.*?)\|(.*?)\|$/gm,
    )) {
      for (const [, action] of pman.matchAll(/`(\w+)`/g)) told.set(`pman ${action}`, scope);
      for (const [, action] of pfioh.matchAll(/`(\w+)`/g)) told.set(`pfioh ${action}`, scope);
    }
    const known = Object.entries(NEEDED_SCOPES).flatMap(([program, table]) =>
      Object.entries(table).map(([action, scope]) => [`${program} ${action}`, scope] as const),
    );
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known));
  });
});

describe('requireScope', () => {
  const caller = (...scopes: (typeof SCOPES)[number][]) => ({
    name: 'tok',
    grant: { scopes: new Set(scopes) },
    from: [],
  });

  it('says which scope a token lacks', () => {
    expect(() => requireScope(caller('read'), 'pman', 'kill')).toThrow(
      'kill: the token tok lacks the scope "kill"',
    );
    expect(() => requireScope(caller('read', 'kill'), 'pman', 'kill')).not.toThrow();
  });

  it.each(['constructor', '__proto__', 'nosuch'])('wants the highest for %s', (action) => {
    const all = SCOPES.filter((scope) => scope !== 'admin');
    expect(() => requireScope(caller(...all), 'pman', action)).toThrow('"admin"');
  });

  it('lets a token without limits do everything', () => {
    const open = { name: 'tok', grant: undefined, from: [] };
    expect(() => requireScope(open, 'pman', 'quit')).not.toThrow();
  });
});
