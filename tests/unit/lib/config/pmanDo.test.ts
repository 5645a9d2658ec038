import { describe, expect, it } from '@jest/globals';
import { readPmanDoConfig } from '../../../../lib/config/pmanDo.ts';

const read = (argv: readonly string[], env: Record<string, string> = {}) =>
  readPmanDoConfig({ argv, env });

describe('readPmanDoConfig', () => {
  it.each([
    [['--op', 'DBclean'], { directive: { action: 'DBctl', meta: { do: 'clear' } } }],
    [['--msg', '{"action": "quit", "meta": {}}'], { directive: { action: 'quit', meta: {} } }],
    [['--op', 'DBclean'], { saveTo: '/tmp/d_msg.json', waitMs: 0, verbosity: 1 }],
    [
      ['--op', 'DBclean', '-s', '/x', '-w', '1.5', '-v', '0'],
      { saveTo: '/x', waitMs: 1500, verbosity: 0 },
    ],
  ])('reads %j', (argv, meant) => {
    expect(read(argv)).toMatchObject({ kind: 'run', config: meant });
  });

  it('takes its settings from the environment too', () => {
    expect(read(['--op', 'DBclean'], { PMAN_DO_SAVETO: '/y' })).toMatchObject({
      config: { saveTo: '/y' },
    });
  });

  it.each([
    [[], 'nothing to write: give --msg <json>, or --op <name> (DBclean)'],
    [['--op', 'frob'], '--op "frob" is no operation: there is DBclean'],
    [['--op', 'constructor'], '--op "constructor" is no operation'],
    [['--msg', '{'], '--msg is not JSON'],
    [['--msg', '[]'], '--msg is not a JSON object'],
    [['--wait', 'x'], '--wait "x" is not a number'],
  ])('refuses %j', (argv, sentence) => {
    expect(() => read(argv)).toThrow(sentence);
  });

  it('prints instead of writing', () => {
    expect(read(['-y', '-x', '--version']).kind).toBe('synopsis');
  });
});
