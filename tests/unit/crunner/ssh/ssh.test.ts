import { describe, expect, it } from '@jest/globals';
import {
  parseSshTarget,
  remoteCommand,
  SshError,
  sshArguments,
  sshFailure,
  sshTargetText,
} from '../../../../crunner/ssh/ssh.ts';

const target = { user: 'u', host: 'h', port: 22 };

describe('parseSshTarget', () => {
  it.each([
    ['u@h', { user: 'u', host: 'h' }],
    [
      'first.last@host.example.org:2222',
      { user: 'first.last', host: 'host.example.org', port: 2222 },
    ],
    ['u@127.0.0.1:1', { user: 'u', host: '127.0.0.1', port: 1 }],
    ['u@[::1]:2222', { user: 'u', host: '::1', port: 2222 }],
    ['u@[fe80::1%eth0]', { user: 'u', host: 'fe80::1%eth0' }],
    ['u@realm@h', { user: 'u@realm', host: 'h' }],
  ])('reads %s', (text, expected) => {
    expect(parseSshTarget(text)).toEqual(expected);
  });

  it.each([
    ...['', 'nohost', '@h', 'u@', 'u@h:', 'u@h:0', 'u@h:65536', 'u@h:x', 'u@::1', 'u@h h', 'u@h\n'],
    ...['-oProxyCommand=x@h', 'u@-oProxyCommand=x', 'u$(x)@h', 'u@h;x', 'u@`x`', 'u@h/x'],
  ])('refuses %j', (text) => {
    expect(() => parseSshTarget(text)).toThrow(SshError);
  });

  it.each(['u@h:0', 'u@h:65536', 'u@[::1]:123456'])('says of %j that it is the port', (text) => {
    expect(() => parseSshTarget(text)).toThrow(/has the port \d+$/);
  });

  it('is undone by sshTargetText', () => {
    for (const text of ['u@h', 'u@h:22', 'u@[::1]:2222']) {
      expect(sshTargetText(parseSshTarget(text))).toBe(text);
    }
  });
});

describe('sshArguments', () => {
  const args = sshArguments(
    { target: { ...target, port: 2222 }, identity: '/k', options: ['ConnectTimeout=1'] },
    'remote words',
  );

  it('puts the target and the command where ssh cannot take them for flags', () => {
    expect(args.slice(-3)).toEqual(['--', 'h', 'remote words']);
    expect(args).toEqual(expect.arrayContaining(['-p', '2222', '-l', 'u', '-i', '/k']));
  });

  it.each(['LogLevel=QUIET', 'loglevel fatal', 'LogLevel = "quiet"'])(
    'does not let %j take the reason of a failure away',
    (option) => {
      const made = sshArguments({ target, options: [option] }, 'x');
      expect(made).not.toContain(option);
      expect(made.indexOf('LogLevel=ERROR')).toBeGreaterThan(0);
    },
  );

  it("leaves a port that nobody named to ssh's configuration", () => {
    expect(sshArguments({ target: { user: 'u', host: 'h' } }, 'x')).not.toContain('-p');
  });

  it("puts the caller's options before its own, as ssh takes the first", () => {
    expect(args.indexOf('ConnectTimeout=1')).toBeLessThan(args.indexOf('ConnectTimeout=20'));
  });

  it('says nothing about host keys and never asks', () => {
    expect(args.join(' ')).not.toMatch(/StrictHostKeyChecking|KnownHosts/i);
    expect(args).toContain('BatchMode=yes');
  });
});

describe('remoteCommand', () => {
  it('holds no character that a login shell may read in its own way', () => {
    const text = remoteCommand(`'"\`!$()\\\n;é😀{}~*?[]|&<>#`, 'm-1:');
    const [, encoded] = /'([^']*)'$/.exec(text) ?? [];
    expect(encoded).toMatch(/^(?:\\0[0-7]{3})+$/);
    expect(text).not.toMatch(/[!\n]|\\\\|\\'/);
  });

  it('refuses a NUL, which no command can hold', () => {
    expect(() => remoteCommand('a\0b', 'm')).toThrow(SshError);
  });
});

describe('sshFailure', () => {
  it.each([
    ['u@h: Permission denied (publickey).\r\n', 255, 'denied'],
    ['@@@@\nIDENTIFICATION HAS CHANGED!\nHost key verification failed.\n', 255, 'hostkey'],
    ['ssh: connect to host h port 22: Connection refused\n', 255, 'unreachable'],
    ['ssh: Could not resolve hostname h: Name or service not known\n', 255, 'unreachable'],
    ['Cannot execute command-line and remote command.\r\n', 255, 'option'],
    ['command-line: line 0: Bad configuration option: foo\r\n', 255, 'option'],
    ['', 255, 'unreachable'],
    ['This account is not available.\n', 1, 'remote'],
  ])('tells from %j (exit %i) that it is: %s', (text, exit, failure) => {
    const error = sshFailure(target, text, exit);
    expect(error.failure).toBe(failure);
    expect(error.message).toMatch(/^cannot run on u@h:22: ./);
  });
});
