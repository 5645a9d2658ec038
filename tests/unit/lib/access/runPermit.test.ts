import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Grant } from '../../../../lib/access/caller.ts';
import { requirePermittedRun } from '../../../../lib/access/runPermit.ts';
import type { JsonObject } from '../../../../lib/wire/json.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

type Limits = Omit<Grant, 'scopes'>;

/** What is not allowed of a run; undefined when it may run. */
function problemOf(
  limits: Limits,
  { cmd = '/bin/true', meta = {}, container, isShareMapped = false }: Asked,
): string | undefined {
  const grant = { scopes: new Set(['run'] as const), ...limits };
  const rawMeta = { cmd, auid: 'a', jid: 'j', ...meta, ...(container && { container }) };
  try {
    requirePermittedRun(
      { name: 'tok', grant, from: [] },
      { cmd, rawMeta, container, isShareMapped },
    );
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' });
    return String(Reflect.get(Object(error), 'message'));
  }
}

interface Asked {
  readonly cmd?: string;
  readonly meta?: JsonObject;
  readonly container?: JsonObject;
  readonly isShareMapped?: boolean;
}

describe('a token with a list of commands', () => {
  const commands = ['/usr/bin/convert --fast /data/*.png *', 'echo *', 'date', 'ls /data/*'];

  it.each([
    '/usr/bin/convert --fast /data/a.png',
    '/usr/bin/convert  --fast /data/a/b.png more words',
    'echo',
    'echo a b=c',
    'date',
    'date;echo a ; date;',
    ' date ',
    'ls /data/x',
  ])('may run %j', (cmd) => {
    expect(problemOf({ commands }, { cmd })).toBeUndefined();
  });

  it.each([
    ...['id', 'date +%s', 'dat', 'datex', '/bin/date', './date', 'x/date', '', ';', ' '],
    ...['/usr/bin/convert --slow /data/a.png', '/usr/bin/convert --fast /data/a.jpg'],
    ...['date; id', 'id; date', 'date;;id', 'ls /etc', 'ls /data/../etc', 'ls /data/x/../../etc'],
    ...['ls /data/..', 'ls a=/data/x', 'LD_PRELOAD=/tmp/x date', 'PATH=/tmp date', 'A=b'],
  ])('may not run %j', (cmd) => {
    expect(problemOf({ commands }, { cmd })).toContain('does not allow');
  });

  it.each([
    ...['echo $(id)', 'echo `id`', 'echo a\nid', 'echo a\r\nid', 'echo a & id', 'echo a | sh'],
    ...['echo a > /etc/x', 'echo < /etc/passwd', 'echo "a"', "echo 'a'", 'echo a\\', 'echo $HOME'],
    ...[
      'echo ~root',
      'echo /*',
      'echo ?',
      'echo [a]',
      'echo {a,b}',
      'echo a #b',
      '(date)',
      '!date',
    ],
    ...['date && id', 'date || id', 'echo \u00a0id', 'echo \u2028id', 'date\u000bx', 'echo \u0000'],
  ])('may not run what a shell would read otherwise: %j', (cmd) => {
    expect(problemOf({ commands }, { cmd })).toContain('characters that a shell reads');
  });

  it('gets nothing past the list by any other characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const cmd = `echo ${a};${b}`;
        if (problemOf({ commands: ['echo *'] }, { cmd }) !== undefined) return;
        // A shell sees no more in it than we do: words, and commands that are all echo.
        expect(cmd).toMatch(/^[\w@%+=:,./ \t;-]*$/);
        for (const part of cmd.split(';')) expect(part.trim()).toMatch(/^(echo( |\t|$)|$)/);
      }),
    );
  });

  it.each([
    ['env', { PATH: '/tmp' }],
    ['env', {}],
    ['cwd', '/tmp'],
    ['ssh', 'root@other'],
  ])('may not send meta.%s %j: it would be another program', (member, value) => {
    expect(problemOf({ commands }, { cmd: 'date', meta: { [member]: value } })).toContain(
      `"meta.${member}"`,
    );
  });

  it('may run nothing in containers: they could hold any program of that name', () => {
    const container = { target: { image: 'mine' } };
    expect(problemOf({ commands }, { cmd: 'date', container })).toContain('jobs in containers');
  });

  it('is refused at once, however long the command', () => {
    const cmd = `echo ${'a'.repeat(1_000_000)}`;
    expect(problemOf({ commands: ['echo *a*a*a*a*b'] }, { cmd })).toContain('does not allow');
  });
});

describe('a token with lists for containers', () => {
  const limits = {
    images: ['fnndsc/pl-*', 'registry.example:5000/x/y:1'],
    mounts: ['/data/in', 'cache-*'],
    shareDirs: ['/share/**', '/users/*/work'],
  };
  const job = (target: JsonObject, manager?: JsonObject): Asked => ({
    container: { target: { image: 'fnndsc/pl-a:1', ...target }, ...(manager && { manager }) },
  });
  const sharing = (shareDir: string) => job({}, { env: { shareDir } });

  it.each([
    job({}),
    job({ image: 'registry.example:5000/x/y:1' }),
    job({ mounts: [{ source: '/data/in/', target: '/in' }] }),
    job({ mounts: [{ source: 'cache-1', target: '/c' }] }),
    ...['/share', '/share/a', '/share/a/b', '/users/me/work'].map(sharing),
    job({}, { image: 'fnndsc/pl-manager', app: 'swarm.py' }),
    job({ env: { A: 'b' } }),
  ])('may run what they name: %j', (asked) => {
    expect(problemOf(limits, asked)).toBeUndefined();
  });

  it.each([
    job({ image: 'fnndsc/pl-a/evil' }),
    job({ image: 'evil/fnndsc/pl-a' }),
    job({ image: 'registry.example:5000/x/y:12' }),
    job({ mounts: [{ source: '/', target: '/in' }] }),
    job({ mounts: [{ source: '/data/in/../..', target: '/in' }] }),
    job({ mounts: [{ source: '/data/in/x', target: '/in' }] }),
    job({ mounts: [{ source: '/data/in', target: '/a' }, { target: '/in' }] }),
    ...['/', '/sharex', '/share/../etc', '/share/.', '/users/me', '/users/a/b/work'].map(sharing),
    job({}, { image: 'evil/manager' }),
    job({}, { image: 'fnndsc/pl-manager', app: 'sh' }),
    {},
  ])('may not run anything else: %j', (asked) => {
    expect(problemOf(limits, asked)).toContain('does not allow');
  });

  it('follows links: a job may have made one in its folder', () => {
    const top = tempDir();
    mkdirSync(join(top, 'real/in'), { recursive: true });
    symlinkSync('/etc', join(top, 'real/out'));
    symlinkSync(join(top, 'real'), join(top, 'alias'));
    const of = (path: string) =>
      problemOf({ ...limits, shareDirs: [`${top}/alias/**`] }, sharing(path));
    expect(of(`${top}/alias/in`)).toBeUndefined();
    expect(of(`${top}/alias/out`)).toContain('the shareDir');
  });

  it('means no folders below where the last name alone counts', () => {
    const mapped = { ...sharing('/share/a'), isShareMapped: true };
    expect(problemOf(limits, mapped)).toContain('the shareDir');
    expect(
      problemOf(limits, { ...sharing('/users/me/work'), isShareMapped: true }),
    ).toBeUndefined();
  });

  it('may send no environment, and name no folder, when the commands are listed too', () => {
    const both = { ...limits, commands: ['convert *'] };
    expect(problemOf(both, { cmd: 'convert a', ...job({}) })).toBeUndefined();
    expect(problemOf(both, { cmd: 'id', ...job({}) })).toContain('the command "id"');
    expect(problemOf(both, { cmd: 'convert a', ...job({ env: {} }) })).toContain('target.env');
    const there = { cmd: 'convert a', ...job({}), meta: { cwd: '/tmp' } };
    expect(problemOf(both, there)).toContain('meta.cwd');
    expect(problemOf(limits, there)).toBeUndefined();
  });
});

it('a token without lists may run everything', () => {
  expect(problemOf({}, { cmd: 'a | b', meta: { env: {}, cwd: '/', ssh: 'x@y' } })).toBeUndefined();
});
