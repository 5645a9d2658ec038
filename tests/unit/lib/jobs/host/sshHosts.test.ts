import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../../../lib/errors.ts';
import { SshHosts } from '../../../../../lib/jobs/host/sshHosts.ts';
import { tempDir } from '../../../../helpers/tempDir.ts';

const hostsOf = (...hosts: string[]) =>
  new SshHosts({ hosts, identity: undefined, knownHosts: undefined });

describe('SshHosts', () => {
  it.each([
    ['a', 'u@a'],
    ['a', 'v@A:22'],
    ['A:2222', 'u@a:2222'],
    ['u@a', 'u@a'],
    ['u@a:2222', 'u@a:2222'],
    ['[::1]:22', 'u@[::1]'],
  ])('with %j allows %j', (allowed, target) => {
    expect(hostsOf('other', allowed).connectionTo(target).target.host).toBeTruthy();
  });

  it('means port 22 where none is named, whatever the configuration of ssh says', () => {
    expect(hostsOf('a').connectionTo('u@a').target).toEqual({ user: 'u', host: 'a', port: 22 });
  });

  it.each([
    ['a', 'u@a:2222'],
    ['a', 'u@aa'],
    ['a', 'u@a.b'],
    ['a:2222', 'u@a'],
    ['u@a', 'v@a'],
    ['u@a', 'U@a'],
    ['u@a:2222', 'u@a:22'],
    // The last @ ends the user: nobody may name an allowed host inside it.
    ['a', 'u@a@b'],
  ])('with %j refuses %j', (allowed, target) => {
    expect(() => hostsOf(allowed).connectionTo(target)).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });

  it.each([
    'a',
    'u@',
    '@a',
    'u@-a',
    '-u@a',
    'u@a:0',
    'u@a:x',
    'u@a\n',
    'u@a b',
    'u@%h',
    'u@a%b',
    '',
  ])('takes %j for no host', (target) => {
    expect(() => hostsOf('a').connectionTo(target)).toThrow(
      expect.objectContaining({ code: 'bad_request' }),
    );
  });

  it.each(['-oProxyCommand=x', 'a:0', 'u@', 'a/b', 'u@a@', '%h', '*'])(
    'cannot be made with %j',
    (entry) => {
      expect(() => hostsOf('a', entry)).toThrow(UsageError);
    },
  );

  it('has the client use the key and the known hosts it was given, and nothing of the request', () => {
    const file = join(tempDir("a b's 100%"), 'key');
    writeFileSync(file, '');
    const hosts = new SshHosts({ hosts: ['a'], identity: file, knownHosts: file });
    const quoted = `"${file.replaceAll('%', '%%')}"`;
    expect(hosts.connectionTo('u@a')).toEqual({
      target: { user: 'u', host: 'a', port: 22 },
      options: ['IdentitiesOnly=yes', `IdentityFile=${quoted}`, `UserKnownHostsFile=${quoted}`],
    });
  });
});
