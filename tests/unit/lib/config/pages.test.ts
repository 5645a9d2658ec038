import { describe, expect, it } from '@jest/globals';
import { readPfiohFlags } from '../../../../lib/config/pfioh.ts';
import { readPmanConfig } from '../../../../lib/config/pman.ts';

const pman = (argv: readonly string[], env = {}) => {
  const line = readPmanConfig({ argv, env });
  if (line.kind !== 'run') throw new Error(`it is ${line.kind}`);
  return { origins: line.config.allowOrigins, hosts: line.config.allowHosts };
};
const pfioh = (argv: readonly string[]) => {
  const line = readPfiohFlags(argv);
  if (line.kind !== 'run') throw new Error(`it is ${line.kind}`);
  return { origins: line.config.allowOrigin, hosts: line.config.allowHost };
};

describe.each([
  ['pman', pman],
  ['pfioh', pfioh],
])('--allowOrigin and --allowHost of %s', (_program, read) => {
  it('list nothing unless told', () => expect(read([])).toEqual({ origins: [], hosts: [] }));

  it('are lists with commas, may be given several times, and are written as browsers write them', () => {
    const flags = ['--allowOrigin', 'http://A.example:80/, https://b.example:8443'];
    const more = ['--allowOrigin=http://[::1]:3000', '--allowHost', 'X.example,y.example'];
    expect(() => read([...flags, ...more])).toThrow(/--allowOrigin/); // a port that browsers leave out
    flags[1] = 'http://A.example/, https://b.example:8443';
    expect(read([...flags, ...more, '--allowHost', 'z.example'])).toEqual({
      origins: ['http://a.example', 'https://b.example:8443', 'http://[::1]:3000'],
      hosts: ['x.example', 'y.example', 'z.example'],
    });
  });

  it.each([
    '*',
    'null',
    'page.example',
    'http://page.example/path',
    'ftp://x',
    'http://u@x',
    'http:',
  ])('refuse the origin %s', (origin) =>
    expect(() => read(['--allowOrigin', origin])).toThrow(/--allowOrigin.* origins such/),
  );

  it.each(['http://x.example', 'x.example:5010', '[::1]', 'a@b.example'])(
    'refuse the host %s',
    (host) => expect(() => read(['--allowHost', host])).toThrow(/--allowHost.* host names/),
  );
});

it('pman takes both from its environment', () => {
  const env = { PMAN_ALLOWORIGIN: 'http://a.example', PMAN_ALLOWHOST: 'b.example c.example' };
  expect(pman([], env)).toEqual({
    origins: ['http://a.example'],
    hosts: ['b.example', 'c.example'],
  });
});
