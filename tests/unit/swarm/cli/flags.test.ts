import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '../../../../swarm/cli/flags.ts';

describe('parseFlags', () => {
  it('reads short flags', () => {
    const args = ['-s', 'a', '-i', 'img', '-c', 'echo x', '-p', 'none', '-m', '/data/key-1'];
    expect(parseFlags(args)).toEqual({
      kind: 'schedule',
      name: 'a',
      image: 'img',
      commandLine: 'echo x',
      restartPolicy: 'none',
      options: {},
      shareDir: '/data/key-1',
    });
  });

  it('reads shortened long flags and values after an equals sign', () => {
    expect(parseFlags(['--sch=a', '--im', 'img', '--comm', 'c', '--restart', 'any'])).toEqual({
      kind: 'schedule',
      name: 'a',
      image: 'img',
      commandLine: 'c',
      restartPolicy: 'any',
      options: {},
    });
  });

  it('restarts on failure when nothing else is said', () => {
    expect(parseFlags(['-sa', '-ii', '-cc'])).toMatchObject({ restartPolicy: 'on-failure' });
  });

  it.each([
    [['--state', 'a'], { kind: 'state', name: 'a' }],
    [['-r', 'a', '--conffile', 'f'], { kind: 'remove', name: 'a', conffile: 'f' }],
    [['-r', 'a', '--conffile', ''], { kind: 'remove', name: 'a' }],
    [['-h'], { kind: 'help' }],
    [['-x'], { kind: 'help' }],
    [['-y'], { kind: 'synopsis' }],
    [['--version'], { kind: 'version' }],
  ])('reads %j', (args, command) => {
    expect(parseFlags(args)).toEqual(command);
  });

  it.each([
    [[], 'nothing to do: give one of -s/--schedule, -r/--remove, --state'],
    [['-i', 'img'], 'nothing to do'],
    [['-s', '', '-i', 'img', '-c', 'c'], 'nothing to do'],
    [['-r', ''], 'nothing to do'],
    [['--state', ''], 'nothing to do'],
    [['-s', 'a', '-c', 'c'], '-s/--schedule requires -i/--image and -c/--command'],
    [['-s', 'a', '-i', 'i'], '-s/--schedule requires -i/--image and -c/--command'],
    [['-s', 'a', '-r', 'b'], 'argument -r/--remove: not allowed with argument -s/--schedule'],
    [['--state', 'a', '-r', 'b'], 'argument -r/--remove: not allowed with argument --state'],
    [['-s'], 'argument -s/--schedule: expected one argument'],
    [['--nosuch'], 'unrecognized arguments: --nosuch'],
    [['--s', 'a'], 'ambiguous option: --s could match --synopsis, --schedule, --state'],
  ])('refuses %j', (args, message) => {
    expect(() => parseFlags(args)).toThrow(message);
  });
});
