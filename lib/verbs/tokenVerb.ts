import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { addToken, revokeToken, type StoredAs } from '../access/editTokenFile.ts';
import { expiryOf, readTokenFile, type Token } from '../access/tokenFile.ts';
import { checkOptions, readFlags } from '../config/flags.ts';
import { UsageError } from '../errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `pman token add|list|revoke`: writes the file of the tokens, and speaks to no server. */
export async function runToken([what = '', ...argv]: readonly string[], env: Env): Promise<string> {
  switch (what) {
    case 'add':
      return add(argv, env);
    case 'list':
      return list(argv, env);
    case 'revoke':
      return revoke(argv, env);
    default:
      throw new UsageError(`token: there is no "${what}"; there are add, list and revoke`);
  }
}

const collect = (value: string, all: readonly string[]) => [...all, value];

function commandFor(what: string, help: string, named: boolean): Command {
  const command = new Command(`pman token ${what}`)
    .description(help)
    .allowExcessArguments(false)
    .option('--tokenPath <file>', 'the file of the tokens, .cfg or .ini', '');
  return named ? command.argument('<name>', 'of the token') : command;
}

const listCommand = () => commandFor('list', 'Shows what tokens there are.', false);
const revokeCommand = () => commandFor('revoke', 'Removes a token from the file.', true);

/** What the command lines of `pman token` may be. */
export const TOKEN_COMMANDS: ReadonlyMap<string, () => Command> = new Map([
  ['add', addCommand],
  ['list', listCommand],
  ['revoke', revokeCommand],
]);

const addSchema = z.object({
  tokenPath: z.string(),
  all: z.boolean(),
  scopes: z.string(),
  auid: z.string().optional(),
  command: z.array(z.string()),
  images: z.string().optional(),
  mounts: z.string().optional(),
  shareDirs: z.string().optional(),
  expires: z
    .string()
    .refine((text) => expiryOf(text) !== undefined, '--expires takes a date, as 2027-01-31')
    .optional(),
  store: z.enum(['sha256', 'scrypt', 'plain'], '--store takes sha256, scrypt or plain'),
});

function addCommand(): Command {
  return commandFor('add', 'Adds a token to the file, and prints it.', true)
    .option('--all', 'it is good for everything', false)
    .option('--scopes <list>', 'what it is good for: read, run, kill, transfer, admin', '')
    .option('--auid <name>', 'it acts as this auid only, and sees the jobs of no other')
    .option('--command <pattern>', 'a command that it may run; may be repeated', collect, [])
    .option('--images <list>', 'images that it may run')
    .option('--mounts <list>', 'what its containers may mount')
    .option('--shareDirs <list>', 'folders that its containers may share')
    .option('--expires <date>', 'from then on it is not good any more')
    .option('--store <form>', 'how the file keeps it: sha256, scrypt or plain', 'sha256');
}

function add(argv: readonly string[], env: Env): string {
  const command = addCommand();
  const flags = readFlags(command, argv);
  if (flags.kind === 'print') return flags.text;
  const options = checkOptions(addSchema, flags.options);
  const [name = ''] = command.args;
  const limits = limitsOf(options);
  if (options.all === limits.length > 0 || (limits.length > 0 && options.scopes === '')) {
    throw new UsageError('say --scopes, or --all without any limit', {
      hint: 'the scopes are run, read, kill, transfer, admin',
    });
  }
  // A limit that is written as nothing limits nothing.
  const empty = [
    ...Object.entries(options),
    ...options.command.map((one) => ['command', one]),
  ].find(([key, value]) => value === '' && key !== 'scopes' && key !== 'tokenPath');
  if (empty !== undefined) throw new UsageError(`token: --${empty[0]} is empty`);
  const storedAs: StoredAs = options.store;
  const file = fileOf(options.tokenPath, env);
  return `${addToken(file, { name, limits: options.all ? undefined : limits, storedAs })}\n`;
}

/** The lines of a section, as they are written. */
function limitsOf({ scopes, command, ...rest }: z.infer<typeof addSchema>): readonly string[] {
  const { auid, images, mounts, shareDirs, expires } = rest;
  const given = { scopes: scopes || undefined, auid, images, mounts, shareDirs, expires };
  const lines = Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const bad = [...lines.map(([, value]) => value), ...command].find((value) =>
    /[\r\n]/.test(value),
  );
  if (bad !== undefined) throw new UsageError('a limit cannot hold a line end');
  return [
    ...lines.map(([key, value]) => `${key} = ${value}`),
    ...(command.length === 0
      ? []
      : ['commands =', ...command.map((pattern) => `    ${pattern.trim()}`)]),
  ];
}

function list(argv: readonly string[], env: Env): string {
  const command = listCommand();
  const flags = readFlags(command, argv);
  if (flags.kind === 'print') return flags.text;
  const tokens = readTokenFile(fileOf(flags.options.tokenPath, env), true);
  const rows = [['name', 'kept as', 'scopes', 'limits'], ...tokens.map(rowOf)];
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Never the token, nor its hash. */
function rowOf({ name, value, grant, expiresAt }: Token): readonly string[] {
  const kept = value.kind === 'scrypt' ? 'scrypt' : value.plain === undefined ? 'sha256' : 'plain';
  const { scopes, ...rest } = grant ?? { scopes: ['all'] };
  const limits = Object.entries(rest).map(([key, allowed]) => `${key}: ${[allowed].join(', ')}`);
  const until = expiresAt === undefined ? [] : [`expires: ${new Date(expiresAt).toISOString()}`];
  return [name, kept, [...scopes].join(','), [...limits, ...until].join('; ')];
}

function revoke(argv: readonly string[], env: Env): string {
  const command = revokeCommand();
  const flags = readFlags(command, argv);
  if (flags.kind === 'print') return flags.text;
  const [name = ''] = command.args;
  revokeToken(fileOf(flags.options.tokenPath, env), name);
  return `${name} is revoked\n`;
}

function fileOf(given: unknown, env: Env): string {
  const file = given || env.PMAN_TOKENPATH;
  if (typeof file === 'string' && file !== '') return resolve(file);
  throw new UsageError('token: name the file of the tokens with --tokenPath or PMAN_TOKENPATH');
}
