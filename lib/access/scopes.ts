import { PmanError } from '../errors.ts';
import type { Caller, Scope } from './caller.ts';

/** What a request asks for, and the scope that it takes; `any`: every token. This is the only table of its kind. */
export const NEEDED_SCOPES = {
  pman: {
    hello: 'any',
    /** GET: the tree, the list of jobs, outputs. */
    GET: 'read',
    status: 'read',
    result: 'read',
    done: 'read',
    info: 'read',
    search: 'read',
    get: 'read',
    run: 'run',
    kill: 'kill',
    delete: 'kill',
    /** To have webhooks sent again. */
    notify: 'run',
    /** The figures of /metrics. */
    metrics: 'read',
    fileiosetup: 'transfer',
    DBctl: 'admin',
    /** PUT works on the database. */
    PUT: 'admin',
    quit: 'admin',
  },
  pfioh: {
    hello: 'any',
    push: 'transfer',
    pull: 'transfer',
    copy: 'transfer',
    checkRemote: 'transfer',
    message: 'transfer',
    ls: 'transfer',
    tree: 'transfer',
    digests: 'transfer',
    chunks: 'transfer',
    rmtree: 'transfer',
    internalctl: 'transfer',
    quit: 'admin',
  },
} as const satisfies Record<string, Record<string, Scope | 'any'>>;

export type Program = keyof typeof NEEDED_SCOPES;

/** The scope that an action takes. What is not in the table takes the highest. */
export function scopeOf(program: Program, action: string): Scope | 'any' {
  return (
    new Map<string, Scope | 'any'>(Object.entries(NEEDED_SCOPES[program])).get(action) ?? 'admin'
  );
}

/** @throws PmanError forbidden when the caller's token is not good for that action; it says which scope it lacks */
export function requireScope(caller: Caller, program: Program, action: string): void {
  if (caller.grant === undefined) return;
  const scope = scopeOf(program, action);
  if (scope === 'any' || caller.grant.scopes.has(scope)) return;
  throw new PmanError(
    'forbidden',
    `${action.slice(0, 80)}: the token ${caller.name} lacks the scope "${scope}"`,
    { hint: `it has: ${[...caller.grant.scopes].join(', ')}` },
  );
}
