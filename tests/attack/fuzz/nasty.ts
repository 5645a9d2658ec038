import type { Random } from '../../crash/random.ts';
import type { Places } from './seedRequest.ts';

/** JSON texts that programs trip over. Some are no JSON. */
const VALUES = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1e999', '-1e-999', '1.5', '2147483648'],
  ...['9007199254740993', '18446744073709551616', '123456789012345678901234567890', '01', '+1'],
  ...['NaN', 'Infinity', '""', '[]', '{}', '[[]]', '{"": ""}', '{"__proto__": {"a": 1}}', "'x'"],
  ...['{"constructor": {"prototype": {"a": 1}}}', '"\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\\x"'],
  ...['"\u202e\u0000"', '"\ufeff"', '"٣"', '"__proto__"', '"constructor"', '"toString"', '"_0"'],
  ...['"%00"', '"%2e%2e%2f"', '"$(true)"', '"`true`"', '"a\\r\\nX: y"', '"\\u001b[2J"', '"-rf"'],
] as const;

/** Paths that lead elsewhere, or that nobody expects. */
function paths({ store, outside }: Places): readonly string[] {
  return [
    ...[outside, `${outside}/x`, `${store}/../outside/y`, '../outside/z', '../../outside', '..'],
    ...[
      '.',
      '/',
      '//',
      './..',
      'in/../../outside/q',
      `${store}/out-link/x`,
      'out-link',
      'out-link/..',
    ],
    ...['dangling', `${store}/dangling`, 'in/up', 'a\0b', 'x'.repeat(300), 'x/'.repeat(300)],
    ...[
      '\u0000',
      'é\u0301',
      '\ud800',
      'CON',
      '~',
      '*',
      '-',
      ' ',
      '\n',
      '.pfioh-x.part',
      '/proc/self/root',
    ],
    ...[
      '/proc/self/fd/3',
      '/dev/full',
      '/dev/stdin',
      `${store}/seed/a.txt/b`,
      '..\\outside',
      '%2e%2e/outside',
    ],
  ];
}

/** Members whose text the shell of a job gets: what stands there must stay harmless. */
const COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'cmd',
    [
      ':',
      'true;;',
      '"',
      '(',
      'exit 300',
      'é',
      ': "a;b"; :',
      '',
      ' ',
      ':\n:',
      ': \u0001',
      'false; :',
    ],
  ],
  ['cwd', ['/', '/nowhere', 'relative', '/etc/passwd', '/proc/self/cwd', '', '/..', 'a\0']],
  ['ssh', ['x', 'user@localhost:1', '-oProxyCommand=true', '']],
]);

/** What would end the server on purpose is no attack. */
const ENDINGS = /quit/i;

/** A text for a member of that name. */
export function nastyText(random: Random, member: string, places: Places): string {
  const own = COMMANDS.get(member);
  if (own !== undefined) return random.pick(own) ?? '';
  return random.weighted<() => string>([
    [6, () => random.pick(paths(places)) ?? ''],
    [1, () => 'A'.repeat(random.between(1, 5000))],
    [1, () => String.fromCodePoint(...Array.from({ length: 8 }, () => random.between(1, 0xd7ff)))],
    [1, () => String(random.between(-5, 70_000))],
  ])();
}

/** The text of a JSON value for a member of that name. */
export function nastyJson(random: Random, member: string, places: Places): string {
  if (COMMANDS.has(member)) return JSON.stringify(nastyText(random, member, places));
  return random.weighted<() => string>([
    [4, () => random.pick(VALUES) ?? 'null'],
    [4, () => JSON.stringify(nastyText(random, member, places))],
    [1, () => deep(random)],
    [1, () => `[${Array.from({ length: random.between(1, 400) }, (_, i) => i).join()}]`],
    [1, () => '9'.repeat(random.between(10, 400))],
  ])();
}

function deep(random: Random): string {
  const depth = random.weighted<() => number>([
    [5, () => random.between(2, 200)],
    [1, () => random.between(1000, 20_000)],
  ])();
  return random.next() < 0.5
    ? `${'['.repeat(depth)}${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** Whether a request asks for the end of the server. */
export const asksForEnd = (bytes: Buffer): boolean => ENDINGS.test(bytes.toString('latin1'));
