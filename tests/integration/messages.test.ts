import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { killMarked, MARK } from '../helpers/processes.ts';
import { builtProgram } from '../helpers/startServer.ts';
import { tempDir } from '../helpers/tempDir.ts';

/** How a program ends when its command line, its environment or a file of its settings is wrong, and when it cannot run. */
const WRONG_USE = 2;
const CANNOT_RUN = 1;

interface Fault {
  /** The words behind the program's name; a variable stands before it, as in a shell. $D is a folder of the test's. */
  readonly line: string;
  readonly code: number;
  /** What is wrong, and where. `…` stands for what the system or a library says. */
  readonly says: string;
  /** What to do; `|` parts two lines. */
  readonly hint: string;
}

const pman = (line: string, says: string, hint: string, code = WRONG_USE): Fault => ({
  ...{ line: `pman ${line}`, code, says: `pman: ${says}`, hint: `pman: ${hint}` },
});
const FLAGS = 'pman serve --help lists the flags';
const NOT_THERE = 'it is not there: make it, or name another one';
const OTHER_PLACE = 'Name an address of this machine with --ip, or a port that may be used.';
const MAKE_TOKEN = 'pman token add <name> --all --tokenPath <file>';

const PMAN: readonly Fault[] = [
  pman('--nosuch', "unknown option '--nosuch'", FLAGS),
  pman('--prt 1', "unknown option '--prt' (Did you mean --port?)", FLAGS),
  pman('--port', "option '--port <number>' argument missing", FLAGS),
  pman('--p 5', 'ambiguous option: --p could match --port, --protocol', FLAGS),
  pman('--port=1 extra', '"extra" is no flag, and belongs to none', FLAGS),
  pman(
    '--port many',
    '--port "many" is not a whole number',
    '--port <number>: port to listen on; 0 takes a free one',
  ),
  {
    line: 'PMAN_PORT=many pman',
    code: WRONG_USE,
    says: 'pman: PMAN_PORT "many" is not a whole number',
    hint: 'pman: --port <number>: port to listen on; 0 takes a free one',
  },
  {
    line: 'PMAN_HTTP=maybe pman',
    code: WRONG_USE,
    says: 'pman: PMAN_HTTP "maybe" is neither on nor off',
    hint: 'pman: a switch is 1 or 0, true or false, yes or no',
  },
  pman(
    '--configFile $D/wrong.ini',
    '$D/wrong.ini: port "many" is not a whole number',
    '--port <number>: port to listen on; 0 takes a free one',
  ),
  pman(
    '--configFile $D/typo.ini',
    '$D/typo.ini has the key "prt", which is no setting',
    'is port meant?',
  ),
  pman('--configFile $D/none.ini', 'cannot read the config file $D/none.ini: …', NOT_THERE),
  pman(
    '--configFile $D/list.json',
    'the config file $D/list.json is not a set of keys and values',
    'write {"port": 5010} (.json) or port = 5010 (any other name), a key for each flag',
  ),
  pman(
    '--container-env nothing',
    '--container-env "nothing" is none of swarm, …',
    '--container-env …',
  ),
  pman('--umask 000', '--umask "000" would let other users write what pman obeys', '--umask …'),
  pman(
    '--maxMemory lots',
    '--maxMemory "lots" is no amount of memory such as 512Mi',
    '--maxMemory …',
  ),
  pman('--allowOrigin x', '--allowOrigin "x" is no list of origins such as …', '--allowOrigin …'),
  pman(
    "'--DBpath=~nobody/x'",
    '--DBpath "~nobody/x" begins with the home of a user',
    'write the whole path: only a shell knows the homes of others',
  ),
  pman(
    '--DBpath $D/file',
    'cannot open the database $D/file: $D/file is a file, not a folder',
    'name a folder that pman may write with --DBpath',
    CANNOT_RUN,
  ),
  pman(
    '--DBpath $D/open',
    'cannot open the database $D/open: $D/open can be written by other users (mode 777)',
    'if you know what is in it: chmod go-w $D/open; or name another place with --DBpath',
    CANNOT_RUN,
  ),
  pman(
    '--DBpath $D/link',
    'cannot open the database $D/link: …',
    'it is a link: make the folder that it leads to',
    CANNOT_RUN,
  ),
  pman(
    '--ip 192.0.2.1 --DBpath $D/db',
    'Cannot listen on tcp://192.0.2.1:5010: this machine has no such address.',
    OTHER_PLACE,
    CANNOT_RUN,
  ),
  pman(
    '--enableTokenAuth --tokenPath $D/none --DBpath $D/db',
    'cannot read the tokens: …$D/none…; name their file with --tokenPath',
    `make one: ${MAKE_TOKEN}`,
  ),
  pman(
    '--enableTokenAuth --tokenPath $D/file --DBpath $D/db',
    '$D/file has no line with a token',
    `add one: ${MAKE_TOKEN}`,
  ),
  pman(
    '--enableTokenAuth --tokenPath $D/open.tokens --DBpath $D/db',
    'others can write the tokens in $D/open.tokens (mode 666)',
    'chmod go-w $D/open.tokens',
  ),
  pman('--tlsCert a --DBpath $D/db', '--tlsCert: TLS takes both --tlsCert and --tlsKey', FLAGS),
  pman(
    '--tlsCert $D/file --tlsKey $D/file --DBpath $D/db',
    'TLS cannot use $D/file, $D/file: …',
    'each file is PEM: it begins with -----BEGIN; and the key is that of the certificate',
  ),
  pman(
    '--auditLog $D --DBpath $D/db',
    'cannot write --auditLog $D: …',
    'it is a folder: name a file',
  ),
  pman(
    '--sshHosts a@b@c:x --DBpath $D/db',
    '--sshHosts "a@b@c:x" is none of host, host:port, user@host, user@host:port',
    FLAGS,
  ),
  pman(
    '--sshHosts h --sshIdentity $D/none --DBpath $D/db',
    '--sshIdentity "$D/none" cannot be read: …',
    NOT_THERE,
  ),
  pman('--notifyFile $D/none --DBpath $D/db', '--notifyFile: cannot read $D/none: …', NOT_THERE),
  pman(
    '--notifyHosts ftp://x --DBpath $D/db',
    '--notifyHosts: "ftp://x" is no host, such as hooks.example.org or http://10.1.2.3:8080',
    FLAGS,
  ),
  pman(
    '--debugToFile --debugFile $D/file/x --DBpath $D/db',
    'cannot write the debug log $D/file/x: …',
    'a part of this path is a file: name another one',
    CANNOT_RUN,
  ),
];

/** A verb: what is wrong behind its name, and what to do on a line below. */
const verb = (line: string, says: string, hint: string, code = WRONG_USE): Fault => ({
  ...{ line: `pman ${line}`, code, says: `pman: ${says}`, hint: `  ${hint}` },
});
/** pman itself, and not the job that the exit code would be of. */
const NO_PMAN = 125;
const NO_SERVER = '--server http://127.0.0.1:8';
const START_IT = 'connect …; start it by "pman serve", or name another by --server or PMAN_URL';

const VERBS: readonly Fault[] = [
  {
    line: 'pman lst',
    code: WRONG_USE,
    says: 'pman: there is no command "lst"',
    hint: '  near it: list|  pman --help lists the commands',
  },
  verb('run', 'run: …', '…'),
  verb('run --nosuch x', 'run: …--nosuch…', '…'),
  verb('ls --limit many', 'ls: …', '…'),
  verb(`ls ${NO_SERVER}`, 'no answer from http://127.0.0.1:8', START_IT, CANNOT_RUN),
  verb(`run ${NO_SERVER} true`, 'no answer from http://127.0.0.1:8', START_IT, NO_PMAN),
  verb(`wait ${NO_SERVER} x`, 'no answer from http://127.0.0.1:8', START_IT, NO_PMAN),
  verb(`kill ${NO_SERVER} x`, 'no answer from http://127.0.0.1:8', START_IT, CANNOT_RUN),
  verb('kill', 'kill: …', '…'),
  verb(
    'token nothing',
    'token: there is no "nothing"; there are add, list and revoke',
    'pman token --help lists its flags',
  ),
  verb('token add', "token: missing required argument 'name'", 'pman token --help lists its flags'),
  verb(
    'token add x --tokenPath $D/t.cfg',
    'token: say --scopes, or --all without any limit',
    'the scopes are run, read, kill, transfer, admin',
  ),
  verb(
    'token revoke x --tokenPath $D/none.cfg',
    'token: there is no file $D/none.cfg',
    'name the file of the tokens with --tokenPath',
  ),
  verb(
    'token revoke x --tokenPath $D/one.cfg',
    'token: $D/one.cfg has no token x',
    'pman token list shows them',
  ),
  verb(
    'token add one --all --tokenPath $D/one.cfg',
    'token: $D/one.cfg has a token one already',
    'take another name, or remove that one: pman token revoke one',
  ),
];

const other = (
  program: string,
  line: string,
  says: string,
  hint: string,
  code = WRONG_USE,
): Fault => ({
  ...{ line: `${program} ${line}`, code, says: `${program}: ${says}`, hint },
});
const HEALTH = 'pman_health: pman_health --help lists the flags';
const DO = 'pman_do: pman_do --help lists the flags';
const PFIOH = 'pfioh: pfioh --help lists the flags';
const PURL = 'usage: purl --http HOST:PORT/PATH [--msg JSON]; purl --help lists the flags';
const NOBODY = 8; // a port below 1024 that nobody has
const HELLO = `--retries 0 --msg '{"action": "hello"}'`;

const OTHERS: readonly Fault[] = [
  other('pman_do', '--msg {', '--msg is not JSON: …', DO),
  other('pman_do', '--msg []', '--msg is not a JSON object', DO),
  other('pman_do', '--op none', '--op "none" is no operation: there is DBclean', DO),
  other(
    'pman_do',
    '--op DBclean --wait x',
    '--wait "x" is not a number',
    'pman_do: --wait <seconds>: how long to wait once the file is written',
  ),
  other(
    'pman_do',
    '--op DBclean --saveTo $D/none/x',
    'cannot write $D/none/x: …',
    `pman_do: ${NOT_THERE}`,
    CANNOT_RUN,
  ),
  other('pman_health', '--nosuch', "unknown option '--nosuch'", HEALTH),
  other(
    'pman_health',
    `--port ${NOBODY}`,
    `no answer from 127.0.0.1:${NOBODY}: …`,
    'pman_health: start that pman, or give pman_health the flags that it was started with (--ip, --port, TLS, tokens)',
    CANNOT_RUN,
  ),
  other('pfioh', '--nosuch', "unknown option '--nosuch'", PFIOH),
  other('pfioh', '--port x', '--port takes a port number, not "x"', PFIOH),
  other(
    'pfioh',
    '--maxUnpack x',
    '--maxUnpack takes bytes, or a number with K, M, G or T, not "x"',
    PFIOH,
  ),
  other(
    'pfioh',
    '--swift-storage',
    '--swift-storage: this pfioh keeps its store on disk only',
    PFIOH,
  ),
  other(
    'pfioh',
    '--storeBase $D/none',
    '--storeBase $D/none is not there',
    'pfioh: make it, or start with --createDirsAsNeeded',
  ),
  other('pfioh', '--storeBase $D/file', '--storeBase $D/file is no folder', 'pfioh: name a folder'),
  other(
    'pfioh',
    '--ip 192.0.2.1 --storeBase $D',
    'cannot listen on 192.0.2.1 port 5055: this machine has no such address',
    `pfioh: ${OTHER_PLACE}`,
  ),
  other(
    'pfioh',
    '--enableTokenAuth --tokenPath $D/none --storeBase $D',
    'cannot read the tokens: …; name their file with --tokenPath',
    `pfioh: make one: ${MAKE_TOKEN}`,
  ),
  other('purl', '--nosuch', "unknown option '--nosuch'", PURL),
  other('purl', '--timeout x', '--timeout takes a number of seconds, not "x"', PURL),
  other('purl', '--header x', '--header takes "Name: value", not "x"', PURL),
  other('purl', '--key x', '--key is of no use without --cert', PURL),
  other('purl', '--cert $D/none --http https://127.0.0.1:1', '--cert: …$D/none…', PURL),
  other(
    'purl',
    `--quiet --fail --http 127.0.0.1:${NOBODY} ${HELLO}`,
    `cannot connect to 127.0.0.1 port ${NOBODY}: ECONNREFUSED`,
    'purl: is the server running? --http names another one',
    7,
  ),
  other('crunner', '', 'no command: give one with -c CMD', '', 64),
  other(
    'crunner',
    '--nosuch',
    'error: unrecognized arguments: --nosuch (usage: crunner -c CMD [flags]; see crunner --help)',
    '',
  ),
  other(
    'crunner',
    '--ssh "a b" -c true',
    'not an ssh target: "a b": write user@host or user@host:port, an IPv6 address in brackets',
    '',
    65,
  ),
  {
    line: 'DOCKER_HOST=unix:///none.sock swarm --state x',
    code: CANNOT_RUN,
    says: 'swarm: cannot read the state of service "x": no answer from unix:///none.sock: … (Is the Docker Engine running, and may this user reach it? DOCKER_HOST names another one.)',
    hint: '',
  },
  {
    line: 'DOCKER_HOST=ftp://x swarm --state x',
    code: CANNOT_RUN,
    says: 'swarm: "ftp://x" is not the address of a Docker Engine (it is as DOCKER_HOST has it: unix:///path, …)',
    hint: '',
  },
  {
    line: 'swarm --conffile $D/none --state x',
    code: CANNOT_RUN,
    says: `swarm: cannot read the config file: … (${NOT_THERE})`,
    hint: '',
  },
];

/** Those whose usage comes first, in the original's form. */
const SWARM: readonly Fault[] = [
  other('swarm', '', 'error: nothing to do: give one of -s/--schedule, -r/--remove, --state', ''),
  other('swarm', '-s a', 'error: -s/--schedule requires -i/--image and -c/--command', ''),
  other(
    'swarm',
    '-s a -r b',
    'error: argument -r/--remove: not allowed with argument -s/--schedule',
    '',
  ),
  other(
    'swarm',
    '-s a -i b -c c --env x',
    'error: argument --env: "x" is not of the form KEY=VALUE',
    '',
  ),
  other('swarm', '--nosuch', 'error: unrecognized arguments: --nosuch', ''),
];

let folder: string;
/** One that does start is found by it. */
const mark = `messages-${process.pid}`;

/** Runs a line with the built programs in a shell, and gives what it has written on standard error. */
function provoke(line: string): {
  readonly code: number | null;
  readonly lines: readonly string[];
} {
  const functions = ['pman', 'pman_do', 'pman_health', 'pfioh', 'purl', 'crunner', 'swarm'].map(
    (name) => {
      const words = builtProgram(name).map((word) =>
        name === 'crunner' ? word.replace(/\.js$/, '.cjs') : word,
      );
      return `${name}() { ${words.map((word) => `'${word}'`).join(' ')} "$@"; }`;
    },
  );
  const { status, stderr } = spawnSync('bash', ['-c', [...functions, line].join('\n')], {
    ...{ cwd: folder, encoding: 'utf8', input: '', timeout: 60_000 },
    env: { PATH: process.env.PATH, HOME: folder, D: folder, [MARK]: mark },
  });
  return { code: status, lines: stderr.trimEnd().split('\n') };
}

/** A text of the tables as a pattern: $D is the folder, `…` anything. */
function patternOf(text: string): RegExp {
  const quoted = text.replaceAll('$D', folder).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${quoted.replaceAll('…', '.*')}$`);
}

describe('a program that cannot do what it was asked to', () => {
  beforeAll(() => {
    folder = tempDir('pman-messages');
    const write = (name: string, text: string, mode = 0o600) => {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), mode);
    };
    write('file', '');
    write('wrong.ini', 'port = many\n');
    write('typo.ini', 'prt = 5\n');
    write('list.json', '[]');
    write('open.tokens', 'a-token\n', 0o666);
    write('one.cfg', '[TOKEN one]\nvalue = abcdefghijklmnopqrstuvwxyz0123456789\nscopes = run\n');
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  });

  afterAll(() => {
    killMarked(mark);
  });

  it.each([...PMAN, ...VERBS, ...OTHERS].map((fault) => [fault.line, fault] as const))(
    'says what is wrong, where, and what to do: %s',
    (_, { line, code, says, hint }) => {
      const said = provoke(line);
      expect(said).toEqual({
        code,
        lines: [says, ...hint.split('|')]
          .filter((text) => text !== '')
          .map((text) => expect.stringMatching(patternOf(text))),
      });
      // Nobody reads on.
      expect(said.lines.length).toBeLessThanOrEqual(3);
    },
  );

  it.each(SWARM.map((fault) => [fault.line, fault] as const))(
    'says it behind the usage, as the original: %s',
    (_, { line, code, says }) => {
      const said = provoke(line);
      expect(said.lines[0]).toMatch(/^usage: swarm /);
      expect({ code: said.code, last: said.lines.at(-1) }).toEqual({ code, last: says });
    },
  );
});
