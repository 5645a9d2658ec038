import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defaultDatabase } from '../../../../lib/config/databasePlace.ts';
import { defaultKubernetes } from '../../../../lib/config/kubernetes.ts';
import { type PmanConfig, readPmanConfig } from '../../../../lib/config/pman.ts';
import { UsageError } from '../../../../lib/errors.ts';
import { tempDir } from '../../../helpers/tempDir.ts';

type Env = Readonly<Record<string, string>>;

function configOf(argv: readonly string[], env: Env = {}): PmanConfig {
  const asked = readPmanConfig({ argv, env });
  if (asked.kind !== 'run') throw new Error(`it does not run: ${asked.kind}`);
  return asked.config;
}

function refusalOf(argv: readonly string[], env: Env = {}): string {
  try {
    configOf(argv, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

function fileWith(name: string, content: string): string {
  const file = join(tempDir(), name);
  writeFileSync(file, content);
  return file;
}

describe('readPmanConfig', () => {
  it('has the defaults of the original, but for those that are unsafe', () => {
    expect(configOf([], { HOME: '/home/me' })).toEqual({
      ip: '127.0.0.1',
      port: 5010,
      protocol: 'tcp',
      rawmode: true,
      listeners: 12,
      httpMode: false,
      debugFile: undefined,
      directiveFile: '/tmp/d_msg.json',
      dbPath: defaultDatabase({ HOME: '/home/me' }),
      isDefaultDatabase: true,
      dbSavePeriodMs: 60_000,
      containerEnv: 'swarm',
      verbosity: 1,
      logFormat: 'text',
      tokenPath: undefined,
      maxJobs: 256,
      notify: {
        hosts: [],
        file: undefined,
        retrySeconds: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
      },
      allowHosts: [],
      allowOrigins: [],
      maxBodyBytes: 16 * 1024 * 1024,
      killGraceMs: 10_000,
      retention: { ageMs: undefined, count: undefined, bytes: undefined },
      keptEvents: { ageMs: 7 * 86_400_000, bytes: 256 * 1024 * 1024 },
      jobs: {
        ...{ user: undefined, maxOutputBytes: undefined, maxProcesses: undefined },
        ...{ memoryBytes: undefined, cpus: undefined, controlGroups: 'auto' },
      },
      jobsAtExit: 'leave',
      exportPath: undefined,
      fileioStore: undefined,
      ssh: { hosts: [], identity: undefined, knownHosts: undefined },
      fsync: false,
      umask: 0o077,
      manager: 'auto',
      dockerSocket: '/var/run/docker.sock',
      storeBase: undefined,
      kubernetes: defaultKubernetes(),
    });
  });

  /** Each setting: its flag and value, its key in the environment, and what becomes of it. */
  const each: readonly (readonly [string, string, string, Partial<PmanConfig>])[] = [
    ['ip', '0.0.0.0', 'PMAN_IP', { ip: '0.0.0.0' }],
    ['ip', '[::1]', 'PMAN_IP', { ip: '::1' }],
    ['port', '6010', 'PMAN_PORT', { port: 6010 }],
    ['protocol', 'tcp', 'PMAN_PROTOCOL', { protocol: 'tcp' }],
    ['rawmode', '0', 'PMAN_RAWMODE', { rawmode: false }],
    ['listeners', '3', 'PMAN_LISTENERS', { listeners: 3 }],
    ['listenerSleep', '0.5', 'PMAN_LISTENERSLEEP', {}],
    ['directiveFile', 'd.json', 'PMAN_DIRECTIVEFILE', { directiveFile: resolve('d.json') }],
    ['DBpath', '/srv/db/', 'PMAN_DBPATH', { dbPath: '/srv/db', isDefaultDatabase: false }],
    ['DBsavePeriod', '1.5', 'PMAN_DBSAVEPERIOD', { dbSavePeriodMs: 1500 }],
    ['container-env', 'OpenShift', 'PMAN_CONTAINER_ENV', { containerEnv: 'openshift' }],
    ['verbosity', '-1', 'PMAN_VERBOSITY', { verbosity: -1 }],
    ['maxJobs', '9', 'PMAN_MAXJOBS', { maxJobs: 9 }],
    ['maxBodySize', '1', 'PMAN_MAXBODYSIZE', { maxBodyBytes: 1024 * 1024 }],
    ['killGrace', '2', 'PMAN_KILLGRACE', { killGraceMs: 2000 }],
    ['jobsAtExit', 'end', 'PMAN_JOBSATEXIT', { jobsAtExit: 'end' }],
    [
      'sshHosts',
      'a, me@[::1]:2222',
      'PMAN_SSHHOSTS',
      { ssh: { hosts: ['a', 'me@[::1]:2222'], identity: undefined, knownHosts: undefined } },
    ],
    [
      'sshIdentity',
      '/k',
      'PMAN_SSHIDENTITY',
      { ssh: { hosts: [], identity: '/k', knownHosts: undefined } },
    ],
    [
      'sshKnownHosts',
      '/h',
      'PMAN_SSHKNOWNHOSTS',
      { ssh: { hosts: [], identity: undefined, knownHosts: '/h' } },
    ],
    ['umask', '027', 'PMAN_UMASK', { umask: 0o027 }],
    ['fileioStore', '/srv/in', 'PMAN_FILEIOSTORE', { fileioStore: '/srv/in' }],
    ['exportPath', '/srv/out', 'PMAN_EXPORTPATH', { exportPath: '/srv/out' }],
  ];

  it.each(each)(
    'takes %s from a flag, a variable and both kinds of files',
    (name, value, key, meant) => {
      expect(configOf([`--${name}`, value])).toMatchObject(meant);
      expect(configOf([`--${name}=${value}`])).toMatchObject(meant);
      expect(configOf([], { [key]: value })).toMatchObject(meant);
      const ini = fileWith('pman.conf', `${name} = ${value}\n[pfioh]\nport = 1\n`);
      expect(configOf(['--configFile', ini])).toMatchObject(meant);
      const json = fileWith('pman.json', JSON.stringify({ [name]: value }));
      expect(configOf([], { PMAN_CONFIGFILE: json })).toMatchObject(meant);
    },
  );

  it.each<[string, string, Partial<PmanConfig>]>([
    ['http', 'PMAN_HTTP', { httpMode: true }],
    ['fsync', 'PMAN_FSYNC', { fsync: true }],
    ['debugToFile', 'PMAN_DEBUGTOFILE', { debugFile: join(homedir(), 'tmp/debug-pman.log') }],
    ['enableTokenAuth', 'PMAN_ENABLETOKENAUTH', { tokenPath: '', ip: '0.0.0.0' }],
  ])('takes the switch %s from a flag, a variable and both kinds of files', (name, key, meant) => {
    expect(configOf([`--${name}`])).toMatchObject(meant);
    for (const on of ['1', 'true', 'YES', 'on']) {
      expect(configOf([], { [key]: on })).toMatchObject(meant);
    }
    for (const off of ['0', 'false', 'No', 'off', '']) {
      expect(configOf([], { [key]: off })).toEqual(configOf([]));
    }
    expect(configOf([`--configFile=${fileWith('p.json', `{"${name}": true}`)}`])).toMatchObject(
      meant,
    );
    expect(configOf([`--configFile=${fileWith('p.ini', `${name} = true`)}`])).toMatchObject(meant);
    expect(refusalOf([], { [key]: 'maybe' })).toContain(`${key} "maybe" is neither on nor off`);
  });

  it('lets a flag win over the environment, and that over the file', () => {
    const file = fileWith('p.ini', 'port = 1\nlisteners = 1\nmaxJobs = 1');
    const env = { PMAN_PORT: '2', PMAN_LISTENERS: '2', PMAN_CONFIGFILE: file };
    expect(configOf(['--port', '3'], env)).toMatchObject({ port: 3, listeners: 2, maxJobs: 1 });
  });

  it('takes its own section of a file, and leaves those of others', () => {
    const file = fileWith('s.ini', '[pman]\nport = 7\n[AUTH TOKENS]\nports = 9');
    expect(configOf([], { PMAN_CONFIGFILE: file })).toMatchObject({ port: 7 });
    const wrong = fileWith('w.ini', '[pman]\nports = 7');
    expect(refusalOf([], { PMAN_CONFIGFILE: wrong })).toContain('"ports", which is no setting');
  });

  it.each([
    ['a.ini', '[Pfioh]\nport = 9\n[purl]\nx = 1\n[AUTH TOKENS]\na = b\n[TOKEN ana.lee]\nvalue = c'],
    ['a.json', '{"pfioh": {"port": 9}, "swarm": [], "AUTH TOKENS": {"a": "b"}}'],
  ])('passes over what a file has for other programs: %s', (name, content) => {
    expect(configOf(['--configFile', fileWith(name, content)])).toMatchObject({ port: 5010 });
  });

  it('takes each section of its own name, however it is written', () => {
    const file = fileWith('s.ini', '[pman]\nport = 7\n[Pman]\nlisteners = 3');
    expect(configOf(['--configFile', file])).toMatchObject({ port: 7, listeners: 3 });
  });

  it.each([
    ['a.json', '{"allowHost": ["a.b", "c.d"], "sshHosts": ["x"], "notifyRetry": [5, 60]}'],
    ['a.ini', 'allowHost[] = a.b\nallowHost[] = c.d\nsshHosts[] = x\nnotifyRetry = 5,60'],
  ])('takes a list of texts for a setting that is a list: %s', (name, content) => {
    const config = configOf(['--configFile', fileWith(name, content)]);
    const meant = configOf(['--allowHost', 'a.b,c.d', '--sshHosts', 'x', '--notifyRetry', '5,60']);
    expect(config).toEqual(meant);
  });

  it('takes a file before which an editor has set a byte order mark', () => {
    for (const [name, text] of [
      ['a.json', '{"port": 7}'],
      ['a.ini', 'port = 7'],
    ] as const) {
      const file = fileWith(name, `\uFEFF${text}`);
      expect(configOf([`--configFile=${file}`])).toMatchObject({ port: 7 });
    }
  });

  it('starts beside a service of its own name, whose address Kubernetes puts into PMAN_PORT', () => {
    expect(configOf([], { PMAN_PORT: 'tcp://10.0.0.7:5010' })).toMatchObject({ port: 5010 });
  });

  it.each([
    [['-v', '2'], { verbosity: 2 }],
    [['-v', '-1'], { verbosity: -1 }],
    [['-v2'], { verbosity: 2 }],
    [['--verb', '0'], { verbosity: 0 }],
    [['--raw', '0'], { rawmode: false }],
    [['--DBp=/x/y'], { dbPath: '/x/y' }],
    [['--container', 'HOST'], { containerEnv: 'host' }],
    [['--port', '1', '--port', '2'], { port: 2 }],
    [['--debugToFile', '--debugFile', '/x/y.log'], { debugFile: '/x/y.log' }],
    [['--debugFile', '/x/y.log'], { debugFile: undefined }],
    [['--tokenPath', '/x'], { tokenPath: undefined }],
    [['--enableTokenAuth', '--tokenPath', '/x', '--ip', '::1'], { tokenPath: '/x', ip: '::1' }],
  ])('reads %j', (argv, meant) => {
    expect(configOf(argv)).toMatchObject(meant);
  });

  it.each([
    [['--port', 'http'], '--port "http" is not a whole number'],
    [['--port', '65536'], '--port "65536" is not between 0 and 65535'],
    [['--port='], '--port "" is not a whole number'],
    [
      ['--protocol', 'udp'],
      '--protocol "udp" has to be "tcp": what else ZeroMQ knows carries no HTTP',
    ],
    [['--rawmode', '2'], '--rawmode "2" is neither 0 nor 1'],
    [['--listeners', '0'], '--listeners "0" is not between 1 and 10000'],
    [['--listeners', '1.5'], '--listeners "1.5" is not a whole number'],
    [['--DBpath='], '--DBpath "" is empty'],
    [['--directiveFile='], '--directiveFile "" is empty'],
    [['--umask', '22'], '--umask "22" is no umask: three octal digits, as 077 or 027'],
    [['--umask', '002'], '--umask "002" would let other users write what pman obeys'],
    [['--umask', '777'], '--umask "777" would keep pman from its own files'],
    [['--DBsavePeriod', 'soon'], '--DBsavePeriod "soon" is not a number of seconds from 0 on'],
    [['--DBsavePeriod', '0'], '--DBsavePeriod "0" is less than 0.1 seconds'],
    [['--DBsavePeriod', '3000000'], '--DBsavePeriod "3000000" is longer than 24 days'],
    [['--killGrace', '3000000'], '--killGrace "3000000" is longer than 24 days'],
    [['--keepJobs', '-1'], '--keepJobs "-1" is not a number from 0 on'],
    [['--killGrace', '-1'], '--killGrace "-1" is not a number of seconds from 0 on'],
    [['--verbosity', 'loud'], '--verbosity "loud" is not a whole number'],
    [['--maxJobs', '0'], '--maxJobs "0" is not between 1 and 100000'],
    [
      ['--container-env', 'swram'],
      '--container-env "swram" is none of swarm, docker, openshift, kubernetes, host',
    ],
    [['--maxBodySize', '4096'], '--maxBodySize "4096" is not between 1 and 2047'],
    [
      ['--port', 'x', '--rawmode', 'y'],
      '--port "x" is not a whole number; --rawmode "y" is neither 0 nor 1',
    ],
    [['--nosuch'], "unknown option '--nosuch'"],
    [['--port'], "option '--port <number>' argument missing"],
    [['--p', '1'], 'ambiguous option: --p could match --port, --protocol'],
    [['word'], '"word" is no flag, and belongs to none'],
  ])('refuses %j with a sentence', (argv, sentence) => {
    expect(refusalOf(argv)).toBe(sentence);
  });

  it.each([
    ['p.ini', 'prot = 1', 'has the key "prot", which is no setting'],
    ['p.json', '{"Port": 1}', 'has the key "Port", which is no setting'],
    ['p.json', '{"__proto__x": 1}', 'which is no setting'],
    ['p.json', '{"port": [24003]}', 'p.json: port is a list'],
    ['p.json', '{"port": null}', 'p.json: port is null'],
    ['p.json', '{"enableTokenAuth": ["true"]}', 'p.json: enableTokenAuth is a list'],
    ['p.json', '{"tokenPath": {"x": "y"}}', 'p.json: tokenPath is a set of keys and values'],
    ['p.json', '{"pman": {"maxJobs": {"a": 1}}}', 'p.json: maxJobs is a set of keys and values'],
    ['p.json', '{"sshHosts": [["x"]]}', 'p.json: sshHosts has something else than texts'],
    ['p.json', '{"pman": [1]}', 'p.json: the section pman is a list'],
    ['p.json', '{"pamn": {"maxJobs": 1}}', 'p.json has the section "pamn", which is of no program'],
    ['p.json', '{"maxJob": [1]}', 'p.json has the section "maxJob", which is of no program'],
    ['p.ini', '[pamn]\nmaxJobs = 1', 'p.ini has the section "pamn", which is of no program'],
    ['p.ini', 'port[] = 24003', 'p.ini: port is a list'],
    ['p.ini', '[port]\nx = 1', 'p.ini: port is a set of keys and values'],
    ['p.json', '{"port": ', 'cannot read the config file'],
    ['p.json', '[]', 'is not a set of keys and values'],
    ['p.json', 'null', 'is not a set of keys and values'],
  ])('refuses the file %s with %j', (name, content, sentence) => {
    expect(refusalOf(['--configFile', fileWith(name, content)])).toContain(sentence);
  });

  it('refuses a config file that is not there', () => {
    expect(refusalOf(['--configFile', '/nosuch/p.ini'])).toMatch(
      /^cannot read the config file \/nosuch\/p\.ini: ENOENT/,
    );
  });

  it.each([
    [['--version'], 'version'],
    [['-x'], 'desc'],
    [['--synopsis', '--desc', '--version'], 'synopsis'],
    [['-x', '--version'], 'desc'],
    [['--version', '--port', 'nonsense'], 'version'],
  ])('prints instead of running with %j', (argv, kind) => {
    expect(readPmanConfig({ argv, env: {} }).kind).toBe(kind);
  });

  it('takes ~ for the home of the user, wherever a path stands', () => {
    const env = { HOME: '/home/me' };
    const ini = fileWith('home.ini', 'DBpath = ~/db\ntokenPath = ~\nsshIdentity = ~/k\n');
    const meant = { dbPath: '/home/me/db', ssh: { identity: '/home/me/k' } };
    expect(configOf(['--configFile', ini, '--enableTokenAuth'], env)).toMatchObject({
      ...meant,
      tokenPath: '/home/me',
    });
    expect(configOf(['--DBpath=~'], env)).toMatchObject({ dbPath: '/home/me' });
    expect(configOf([], { ...env, PMAN_DBPATH: '~/x' })).toMatchObject({ dbPath: '/home/me/x' });
    expect(refusalOf(['--DBpath', '~bob/db'])).toContain('begins with the home of a user');
  });

  it('names the variable of each setting with --help, and no default that says nothing', () => {
    const asked = readPmanConfig({ argv: ['--help'], env: {} });
    const text = asked.kind === 'print' ? asked.text : '';
    for (const [, , key] of each) expect(text.replace(/\s+/g, ' ')).toContain(`[${key}]`);
    expect(text).not.toMatch(/\(default: (""|false)?\)/);
  });

  it('prints every setting with --help', () => {
    const asked = readPmanConfig({ argv: ['--help'], env: {} });
    const text = asked.kind === 'print' ? asked.text : '';
    for (const [name] of each) expect(text).toContain(`--${name} <`);
    expect(text).toContain('-v, --verbosity');
    expect(text).not.toContain('undefined');
  });

  it('gives settings that nobody changes by mistake', () => {
    expect(Object.isFrozen(configOf([]))).toBe(true);
  });
});
