import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BadRequestError } from '../../../../lib/errors.ts';
import { type JobForest, lookup, namesNoJob } from '../../../../lib/tree/lookup.ts';
import { TreeNode } from '../../../../lib/tree/node.ts';
import { ExactNumber, type JsonValue } from '../../../../lib/wire/json.ts';

function job(): TreeNode {
  const tree = new TreeNode();
  const entry = { stdout: 'hi\n', stderr: '', returncode: 0, uname: ['Linux'], none: null };
  tree.touch(['cmd'], 'echo hi');
  tree.touch(['jobCount'], 0);
  tree.touch(['empty'], '');
  tree.touch(['no'], false);
  tree.touch(['nothing'], null);
  tree.touch(['object'], {});
  tree.touch(['list'], []);
  tree.touch(['exact'], new ExactNumber('1.0'));
  tree.touch(['end', '0', 'endInfo'], { '0': entry });
  tree.mkdir(['start']);
  return tree;
}

const TREES = new Map(['first', 'second', 'third'].map((root) => [root, job()] as const));
const forest: JobForest = {
  roots: () => [...TREES.keys()],
  named: (name) => (TREES.has(name) ? name : name === 'abcd' ? 'second' : undefined),
  tree: (root) => TREES.get(root),
};
const at = (path: string) => lookup(forest, `/api/v1${path}`);

describe('lookup', () => {
  it.each(['/', '', '/api', '/anything', '/a/b', '/api/v1', '/api/v1/', '/api/v1//', 'x'])(
    'takes %j for the list of jobs',
    (path) => {
      expect(namesNoJob(path)).toBe(true);
      expect(lookup(forest, path)).toEqual({});
    },
  );

  it('drops the first three pieces whatever they say', () => {
    expect(lookup(forest, 'x/y/z/first/cmd')).toEqual({ first: { cmd: 'echo hi' } });
  });

  it.each([
    ['/_0/cmd', 'first'],
    ['/_2/cmd', 'third'],
    ['/_+1/cmd', 'second'],
    ['/_-1/cmd', 'third'],
    ['/abcd/cmd', 'second'],
    ['/_-3/cmd', 'first'],
    ['/_-0/cmd', 'first'],
    ['/_00/cmd', 'first'],
  ])('counts the jobs: %s', (path, root) => {
    expect(at(path)).toEqual({ [root]: { cmd: 'echo hi' } });
  });

  it.each([
    '/_3',
    '/_-4',
    '/_',
    '/_x',
    '/_1.5',
    '/_1e0',
    '/_ 1',
    '/__proto__',
    '/_99999999999999999999',
  ])('answers false for the index %s', (path) => {
    expect(at(path)).toBe(false);
    expect(at(`${path}/cmd`)).toBe(false);
  });

  it('gives the chain of parents and the whole of a node, leaves first', () => {
    const found = at('/first/end') as { first: { end: JsonValue } };
    expect(found).toEqual({ first: { end: { '0': { endInfo: expect.anything() } } } });
    expect(at('/first/start')).toEqual({ first: { start: {} } });
    const [whole] = Object.values(at('/first') as object);
    expect(Object.keys(whole)).toEqual([
      ...['cmd', 'jobCount', 'empty', 'no', 'nothing', 'object', 'list', 'exact'],
      ...['end', 'start'],
    ]);
  });

  it('goes on inside the value of a leaf', () => {
    const chain = (value: JsonValue) => ({
      first: { end: { '0': { endInfo: { '0': value } } } },
    });
    expect(at('/_0/end/0/endInfo/0/stdout')).toEqual(chain({ stdout: 'hi\n' }));
    expect(at('/_0/end/0/endInfo/0/returncode')).toEqual(chain({ returncode: 0 }));
    expect(at('/_0/end/0/endInfo/0/stderr')).toEqual(chain({ stderr: '' }));
    expect(at('/_0/end/0/endInfo/0/none')).toEqual(chain({ none: null }));
  });

  it('does not go into arrays, texts and numbers', () => {
    expect(at('/first/end/0/endInfo/0/uname/0')).toMatchObject({
      first: { end: { '0': { endInfo: { '0': { uname: { '0': false } } } } } },
    });
    expect(at('/first/cmd/0')).toEqual({ first: { cmd: { '0': false } } });
    expect(at('/first/cmd/length')).toEqual({ first: { cmd: { length: false } } });
    expect(at('/first/exact/text')).toEqual({ first: { exact: { text: false } } });
  });

  it.each<[string, JsonValue]>([
    ['jobCount', 0],
    ['empty', ''],
    ['no', false],
    ['nothing', null],
    ['object', {}],
    ['list', []],
  ])('gives the leaf %s, although it is falsy', (name, value) => {
    expect(at(`/first/${name}`)).toEqual({ first: { [name]: value } });
  });

  it.each(['nosuch', 'constructor', 'toString', 'hasOwnProperty', 'cmd?x=1', '..', '%63md'])(
    'answers false for %s below a job',
    (name) => {
      expect(at(`/first/${name}`)).toEqual({ first: { [name]: false } });
      expect(at(`/first/object/${name}`)).toEqual({ first: { object: { [name]: false } } });
      expect(at(`/first/end/${name}/x`)).toEqual({ first: { end: { [name]: { x: false } } } });
    },
  );

  it('answers false for __proto__, as a member like any other', () => {
    for (const place of ['/first/__proto__', '/first/object/__proto__', '/first/end/__proto__']) {
      expect(JSON.stringify(at(place))).toMatch(/"__proto__":false/);
    }
  });

  it.each(['nosuch', 'constructor', 'toString', '..', '%2e%2e', 'first?x'])(
    'knows no job %s, and answers false below it',
    (root) => {
      expect(at(`/${root}`)).toBeUndefined();
      expect(at(`/${root}/cmd`)).toEqual({ [root]: { cmd: false } });
    },
  );

  it.each(['a\0b', '%00', 'x%00', 'x'.repeat(256), 'é'.repeat(128)])(
    'refuses %j, which is no name, wherever it stands',
    (piece) => {
      for (const path of [piece, `${piece}/cmd`, `first/${piece}`, `first/object/${piece}/x`]) {
        expect(() => at(`/${path}`)).toThrow(BadRequestError);
      }
    },
  );

  it('passes over empty pieces', () => {
    expect(at('//first///cmd/')).toEqual({ first: { cmd: 'echo hi' } });
  });

  it('answers any path, and with nothing that is not in the tree', () => {
    const piece = fc.oneof(
      fc.constantFrom('first', '_0', '_-9', 'end', '0', 'endInfo', 'cmd', '', '..', '__proto__'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        let found = lookup(forest, `/api/v1/${pieces.join('/')}`);
        const path = pieces
          .join('/')
          .split('/')
          .filter((name) => name !== '');
        if (path[0] !== 'first' && path[0] !== '_0') return;
        for (const [i, name] of path.entries()) {
          const object = found as Record<string, JsonValue>;
          expect(Object.keys(object)).toEqual([i === 0 ? expect.any(String) : name]);
          found = Object.values(object)[0];
        }
        const tree = job().node(path.slice(1));
        const meant = tree?.toJson() ?? job().cat(path.slice(1)) ?? false;
        if (path.length < 4) expect(found).toEqual(meant);
      }),
    );
  });
});
