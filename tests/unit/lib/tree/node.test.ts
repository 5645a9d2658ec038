import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeFromJson, TreeNode } from '../../../../lib/tree/node.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../lib/wire/json.ts';

/** The model: a folder is a Map, a leaf is a box with its value. */
type Folder = Map<string, Folder | { readonly leaf: JsonValue }>;

const NAMES = ['a', 'b', 'start', '0', '10', '__proto__', 'constructor', 'toString', 'ü'];
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 });
const value = fc.constantFrom<JsonValue>(0, '', false, null, 'x', 1, [1], { k: 1 });

type Step =
  | { readonly do: 'touch'; readonly path: string[]; readonly value: JsonValue }
  | { readonly do: 'mkdir' | 'rm' | 'cat'; readonly path: string[] }
  | { readonly do: 'graft'; readonly path: string[]; readonly value: JsonValue };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('touch' as const), path, value }) },
  fc.record({ do: fc.constantFrom('mkdir' as const, 'rm' as const, 'cat' as const), path }),
  fc.record({ do: fc.constant('graft' as const), path, value }),
);

function folderAt(top: Folder, at: readonly string[], make: boolean): Folder | undefined {
  let folder = top;
  for (const name of at) {
    let next = folder.get(name);
    if (!(next instanceof Map)) {
      if (!make) return undefined;
      next = new Map();
      folder.set(name, next);
    }
    folder = next;
  }
  return folder;
}

/** Does a step on both; gives what each of them answers. */
function doStep(tree: TreeNode, model: Folder, it: Step): [unknown, unknown] {
  const name = it.path.at(-1) ?? '';
  const parents = it.path.slice(0, -1);
  switch (it.do) {
    case 'touch':
      tree.touch(it.path, it.value);
      folderAt(model, parents, true)?.set(name, { leaf: it.value });
      return [tree.cat(it.path), it.value];
    case 'graft': {
      const twig = new TreeNode();
      twig.touch(['leaf'], it.value);
      tree.graft(it.path, twig);
      folderAt(model, parents, true)?.set(name, new Map([['leaf', { leaf: it.value }]]));
      return [tree.cat([...it.path, 'leaf']), it.value];
    }
    case 'mkdir':
      tree.mkdir(it.path);
      folderAt(model, it.path, true);
      return [tree.node(it.path) !== undefined, true];
    case 'rm':
      return [tree.rm(it.path), folderAt(model, parents, false)?.delete(name) ?? false];
    case 'cat': {
      const found = folderAt(model, parents, false)?.get(name);
      return [tree.cat(it.path), found instanceof Map ? undefined : found?.leaf];
    }
  }
}

function modelJson(folder: Folder): JsonObject {
  return Object.fromEntries(
    [...folder].map(([name, it]) => [name, it instanceof Map ? modelJson(it) : it.leaf]),
  );
}

describe('TreeNode', () => {
  it('is a folder of folders and leaves, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const tree = new TreeNode();
        const model: Folder = new Map();
        for (const it of steps) {
          const [found, meant] = doStep(tree, model, it);
          expect(found).toEqual(meant);
          expect(tree.toJson()).toEqual(modelJson(model));
        }
        const walked = [...tree.walk()].map((leaf) => [leaf.path, tree.cat(leaf.path)]);
        expect(walked).toEqual([...tree.walk()].map((leaf) => [leaf.path, leaf.value]));
      }),
    );
  });

  it('copies into a tree of its own', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (before, after) => {
        const tree = new TreeNode();
        for (const it of before) doStep(tree, new Map(), it);
        const twin = tree.copy();
        const shown = JSON.stringify(twin.toJson());
        expect(shown).toBe(JSON.stringify(tree.toJson()));
        for (const it of after) doStep(tree, new Map(), it);
        expect(JSON.stringify(twin.toJson())).toBe(shown);
      }),
    );
  });

  it('shows leaves before child nodes', () => {
    const tree = new TreeNode();
    tree.touch(['end', 'x'], 1);
    tree.touch(['cmd'], 'true');
    expect(Object.keys(tree.toJson())).toEqual(['cmd', 'end']);
  });

  it('shows a leaf named __proto__ as a member', () => {
    const tree = new TreeNode();
    tree.touch(['__proto__'], { polluted: true });
    expect(Object.keys(tree.toJson())).toEqual(['__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256)])('takes no name %j', (name) => {
    const tree = new TreeNode();
    expect(() => tree.touch([name], 1)).toThrow('cannot be the name of a tree entry');
    expect(() => tree.touch([name, 'a'], 1)).toThrow('cannot be the name of a tree entry');
    expect(() => tree.mkdir([name])).toThrow('cannot be the name of a tree entry');
    expect(() => tree.graft([name], new TreeNode())).toThrow('cannot be the name of a tree entry');
    expect(tree.toJson()).toEqual({});
  });

  it('finds nothing without a name', () => {
    const tree = new TreeNode();
    expect(tree.node([])).toBe(tree);
    expect(tree.cat([])).toBeUndefined();
    expect(tree.rm([])).toBe(false);
    expect(() => tree.touch([], 1)).toThrow('a leaf needs a name');
  });
});

describe('nodeFromJson', () => {
  it('makes nodes of objects and leaves of the rest; an empty object says contents: null', () => {
    const container = {
      manager: { image: 'm', env: { shareDir: '/share', list: [{ a: 1 }] } },
      target: {},
    };
    const node = nodeFromJson(container, isJsonObject);
    expect(node.cat(['manager', 'env', 'shareDir'])).toBe('/share');
    expect(node.cat(['manager', 'env', 'list'])).toEqual([{ a: 1 }]);
    expect(node.node(['target'])?.toJson()).toEqual({ contents: null });
  });

  it('refuses a key that would lead out of the record', () => {
    expect(() => nodeFromJson({ a: { '../../x': 1 } }, isJsonObject)).toThrow('"../../x"');
    expect(() => nodeFromJson({ '..': {} }, isJsonObject)).toThrow('".."');
  });
});
