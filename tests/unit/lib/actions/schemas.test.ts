import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ANYBODY } from '../../../../lib/access/caller.ts';
import { actions } from '../../../../lib/actions/index.ts';
import { dispatch } from '../../../../lib/server/dispatch.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../../../lib/wire/json.ts';
import { openServices, type TestServices } from '../../../helpers/services.ts';

let host: TestServices;
beforeEach(() => {
  host = openServices();
});
afterEach(() => host.close());

const run = async (action: string, rawMeta: JsonObject, threaded = false) =>
  dispatch(host.services, { action, rawMeta, threaded }, { caller: ANYBODY });

/** For each action a meta that it takes. */
const GOOD: Readonly<Record<string, JsonObject>> = {
  run: { cmd: 'true', auid: 'me', jid: 'j' },
  status: { key: 'jid', value: 'x' },
  done: { key: 'jid', value: 'x' },
  info: { key: 'jid', value: 'x' },
  result: { key: 'jid', value: 'x' },
  search: { key: 'jid', value: 'x' },
  kill: { key: 'jid', value: 'x' },
  delete: { value: 'x' },
  get: { path: '/' },
  DBctl: { do: 'save' },
  fileiosetup: { serveforever: false },
  hello: {},
  quit: {},
};

const NOT_TEXT: readonly JsonValue[] = [null, 1, true, [], {}, 'a\0b'];

const WRONG: readonly (readonly [string, string, readonly JsonValue[]])[] = [
  ['run', 'cmd', NOT_TEXT],
  ['run', 'auid', NOT_TEXT],
  ['run', 'jid', [null, 1.5, true, [], {}, 'a\0b', parseJson('1.0'), parseJson('1e3')]],
  ['run', 'container', [null, 1, 'x', [], parseJson('1.0')]],
  ...['status', 'done', 'info', 'result', 'search', 'kill', 'delete'].map(
    (action) => [action, 'key', NOT_TEXT] as const,
  ),
  ['search', 'path', NOT_TEXT],
  ['search', 'job', [null, 1.5, true, [], {}, 'a\0b']],
  ['search', 'when', NOT_TEXT],
  ['search', 'field', NOT_TEXT],
  ['kill', 'signal', [null, true, [], {}, 'NOSUCH', 0, 9.5, -9, 9999, '', 'constructor']],
  ['kill', 'grace', [null, '5', true, [], {}, -1, 86_401]],
  ['kill', 'auid', NOT_TEXT],
  ['get', 'path', [...NOT_TEXT, 'jid', '../x']],
  ['DBctl', 'dbpath', NOT_TEXT],
];

describe('the table of actions', () => {
  it('has every action of the contract, each with a good example here', () => {
    expect([...actions.keys()].sort()).toEqual(Object.keys(GOOD).sort());
  });

  it.each(['', 'RUN', 'run ', '__proto__', 'constructor', 'toString', 'put'])(
    'knows no action %j, and says which there are',
    async (action) => {
      await expect(run(action, {})).rejects.toMatchObject({
        code: 'bad_request',
        message: `there is no action ${JSON.stringify(action)}`,
        hint: expect.stringContaining('DBctl'),
      });
    },
  );
});

describe('each field of each action', () => {
  const required = Object.entries(GOOD).flatMap(([action, meta]) =>
    Object.keys(meta).map((field) => [action, field] as const),
  );

  it.each(required)('%s is refused without %s', async (action, field) => {
    const { [field]: _, ...rest } = GOOD[action] ?? {};
    await expect(run(action, rest)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(`${action}: "meta.${field}": is missing`),
    });
  });

  const wrong = WRONG.flatMap(([action, field, values]) =>
    values.map((value) => [action, field, value] as const),
  );

  it.each(wrong)('%s is refused with a %s of %j', async (action, field, value) => {
    const refused = run(action, { ...GOOD[action], [field]: value });
    await expect(refused).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(new RegExp(`^${action}: "meta\\.${field}": `)),
    });
    // A sentence about the field, not the schema's own words.
    await expect(refused).rejects.not.toMatchObject({
      message: expect.stringMatching(/Invalid|expected|union/),
    });
  });

  it.each([
    ['get', 'path'],
    ['search', 'path'],
    ['search', 'key'],
    ['status', 'key'],
    ['kill', 'key'],
  ])(
    '%s is refused with a %s that is longer than any in a tree, before it is taken apart',
    async (action, field) => {
      const long = `/${'a/'.repeat(64_000)}`;
      await expect(run(action, { ...GOOD[action], [field]: long })).rejects.toMatchObject({
        code: 'bad_request',
        message: `${action}: "meta.${field}": is longer than 128000 characters`,
      });
    },
  );

  it('names all wrong fields of one request', async () => {
    await expect(run('run', { cmd: 1, jid: {} })).rejects.toMatchObject({
      message: expect.stringMatching(/"meta\.cmd".*"meta\.auid".*"meta\.jid"/),
    });
  });
});

describe('dispatch', () => {
  it('answers a threaded command at once, and logs how it fails', async () => {
    await expect(run('kill', { key: 'jid', value: 'nosuch' }, true)).resolves.toEqual({
      status: true,
    });
  });

  it('refuses a wrong meta also when threaded', async () => {
    await expect(run('status', {}, true)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('does not accept a job that the disk does not take', async () => {
    const spool = join(host.top, 'db.spool', 'jobs');
    rmSync(spool, { recursive: true });
    writeFileSync(spool, 'in the way');
    await expect(run('run', GOOD.run ?? {}, true)).rejects.toMatchObject({ code: 'storage' });
    expect([...host.services.database.roots()]).toEqual([]);
    rmSync(spool);
    mkdirSync(spool);
  });
});
