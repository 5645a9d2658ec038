import type { Random } from '../../crash/random.ts';
import { nastyJson, nastyText } from './nasty.ts';
import type { Places } from './seedRequest.ts';

/** JSON with the members of objects in a list, so that a name can be there twice, and with texts that are no JSON. */
type Node =
  | { readonly kind: 'object'; members: [string, Node][] }
  | { readonly kind: 'array'; items: Node[] }
  | { readonly kind: 'text'; text: string };

/** What was made longer or deeper by a mutation is not taken apart again, in characters. */
const LONGEST = 4000;

/** Changes a JSON text as somebody does who knows its form; undefined when it is no JSON. */
export function mutateJson(text: string, random: Random, places: Places): string | undefined {
  if (text.length > LONGEST) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const tree = nodeOf(value);
  const count = random.weighted([
    [6, 1],
    [2, 2],
    [1, 5],
  ] as const);
  for (let i = 0; i < count; i += 1) change(tree, random, places);
  return write(tree);
}

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(nodeOf) };
  if (typeof value !== 'object' || value === null) {
    return { kind: 'text', text: JSON.stringify(value) };
  }
  return {
    kind: 'object',
    members: Object.entries(value).map(([name, inner]) => [name, nodeOf(inner)]),
  };
}

function write(node: Node): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'array':
      return `[${node.items.map(write).join(', ')}]`;
    case 'object': {
      const members = node.members.map(
        ([name, value]) => `${JSON.stringify(name)}: ${write(value)}`,
      );
      return `{${members.join(', ')}}`;
    }
  }
}

/** Where a value stands: in what, at which place, under what name. */
interface Spot {
  readonly holder: Exclude<Node, { kind: 'text' }>;
  readonly index: number;
  readonly name: string;
}

/** All of them, each before those in it. Without recursion: some trees are deeper than the stack. */
function spotsIn(tree: Node): Spot[] {
  const spots: Spot[] = [];
  const waiting = within(tree, '');
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    spots.push(next.spot);
    for (const inner of within(next.node, next.spot.name)) waiting.push(inner);
  }
  return spots;
}

/** What stands directly in a node of that name, the last first. */
function within(holder: Node, name: string): { readonly spot: Spot; readonly node: Node }[] {
  if (holder.kind === 'text') return [];
  const inner: (readonly [string, Node])[] =
    holder.kind === 'object' ? holder.members : holder.items.map((item) => [name, item] as const);
  return inner
    .map(([member, node], index) => ({ spot: { holder, index, name: member }, node }))
    .reverse();
}

function change(tree: Node, random: Random, places: Places): void {
  const spot = random.pick(spotsIn(tree));
  if (spot === undefined) return;
  const { holder, index, name } = spot;
  const put = (node: Node) => {
    if (holder.kind === 'object') holder.members[index] = [name, node];
    else holder.items[index] = node;
  };
  const current = holder.kind === 'object' ? holder.members[index]?.[1] : holder.items[index];
  if (current === undefined) return;
  random.weighted<() => void>([
    [10, () => put({ kind: 'text', text: nastyJson(random, name, places) })],
    [2, () => (holder.kind === 'object' ? holder.members : holder.items).splice(index, 1)],
    [1, () => put({ kind: 'array', items: [current] })],
    [1, () => put({ kind: 'object', members: [[name, current]] })],
    [2, () => rename(spot, random, places)],
    [2, () => addAgain(spot, random, places)],
  ])();
}

function rename({ holder, index, name }: Spot, random: Random, places: Places): void {
  if (holder.kind === 'array') return;
  const value = holder.members[index]?.[1];
  // A command under another name would be no command; what is no command must not become one.
  if (value !== undefined)
    holder.members[index] = [safeName(nastyText(random, name, places)), value];
}

function addAgain({ holder, name }: Spot, random: Random, places: Places): void {
  const node: Node = { kind: 'text', text: nastyJson(random, name, places) };
  if (holder.kind === 'array') holder.items.push(node);
  else holder.members.push([name, node]);
}

const safeName = (name: string) => (name === 'cmd' ? 'cmd2' : name);
