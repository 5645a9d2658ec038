import { type ErrorDetails, PmanError } from '../../lib/errors.ts';
import type { Surroundings } from '../command/surroundings.ts';

/** What ssh itself exits with when it fails. */
export const SSH_FAILED = 255;

/** Who to be, and where. */
export interface SshTarget {
  readonly user: string;
  readonly host: string;
  /** Default: what the client's configuration says. */
  readonly port?: number;
}

export interface SshConnection {
  readonly target: SshTarget;
  /** A file with the private key; default: what the client's own configuration says. */
  readonly identity?: string;
  /** As given to `ssh -o`, such as `UserKnownHostsFile=…`. They win over our own. */
  readonly options?: readonly string[];
}

/**
 * Why a remote run failed other than by its command: the target makes no sense; the host did not
 * answer; it refused our keys; its own key is unknown or has changed; the connection ended before the
 * command did; the remote side did not run the command's wrapper; the command is none that ssh can
 * carry; ssh does not know an option.
 */
export type SshFailure =
  | 'target'
  | 'option'
  | 'command'
  | 'unreachable'
  | 'denied'
  | 'hostkey'
  | 'lost'
  | 'remote';

export class SshError extends PmanError {
  readonly failure: SshFailure;

  constructor(failure: SshFailure, message: string, details?: ErrorDetails) {
    const isAsked = failure === 'target' || failure === 'command' || failure === 'option';
    super(isAsked ? 'bad_request' : 'unavailable', message, details);
    this.failure = failure;
  }
}

/**
 * Reads `user@host[:port]`; an IPv6 address stands in brackets.
 * Throws `SshError` for anything else: neither name may be taken for a flag or hold what a shell
 * would act on, since the client's configuration may hand them to one.
 */
export function parseSshTarget(text: string): SshTarget {
  const form =
    /^(?<user>[\w.][\w.+~@-]*)@(?:\[(?<ipv6>[\da-f:.]+(?:%\w+)?)\]|(?<name>\w[\w.-]*))(?::(?<port>\d+))?$/i;
  const { user, ipv6, name, port } = form.exec(text)?.groups ?? {};
  const host = ipv6 ?? name;
  if (user === undefined || host === undefined) {
    throw new SshError('target', `not an ssh target: ${JSON.stringify(text)}`, {
      hint: 'write user@host or user@host:port, an IPv6 address in brackets',
    });
  }
  if (port === undefined) return { user, host };
  if (Number(port) < 1 || Number(port) > 65_535) {
    throw new SshError(
      'target',
      `not an ssh target: ${JSON.stringify(text)} has the port ${port}`,
      {
        hint: 'a port is a number from 1 to 65535',
      },
    );
  }
  return { user, host, port: Number(port) };
}

/** For people and logs: `user@host:port`, without a port when none was named. */
export function sshTargetText({ user, host, port }: SshTarget): string {
  const place = `${user}@${host.includes(':') ? `[${host}]` : host}`;
  return port === undefined ? place : `${place}:${port}`;
}

/**
 * What ssh does when no one says otherwise. It never asks (so an unknown host key is refused, not
 * accepted), gives up on a host that does not answer, and does not leave a shared connection behind
 * that would keep our stderr open. Whatever the caller's options or the known-hosts files say stays.
 */
const DEFAULT_OPTIONS = [
  'BatchMode=yes',
  'ConnectTimeout=20',
  'ServerAliveInterval=15',
  'ServerAliveCountMax=4',
  'ControlMaster=no',
  'RemoteCommand=none',
  'LogLevel=INFO', // the client's own default, also where its configuration asks for silence
];

/** What would keep the client from saying why it failed: the least that does say it takes its place. */
const SILENCE = /^\s*loglevel\s*[\s=]\s*"?(?:quiet|fatal)"?\s*$/i;

/** The arguments of the OpenSSH client that hand `remoteCommand` to the remote login shell. */
export function sshArguments(
  { target, identity, options = [] }: SshConnection,
  remoteCommand: string,
): readonly string[] {
  return [
    '-T',
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...['-l', target.user],
    ...(identity === undefined ? [] : ['-i', identity]),
    // Of an option given twice ssh takes the first.
    ...[...options, ...DEFAULT_OPTIONS].flatMap((option) => [
      '-o',
      SILENCE.test(option) ? 'LogLevel=ERROR' : option,
    ]),
    ...['--', target.host, remoteCommand],
  ];
}

/**
 * How execa starts a client: in a session of its own, so that it gets no signals of this process's terminal and outlives this
 * process; one that fails is a result.
 */
export function clientOptions({ cwd, env }: Surroundings = {}) {
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...{ detached: true, cleanup: false, reject: false },
  } as const;
}

/**
 * What the client and the remote login shell take as one argument (Linux: MAX_ARG_STRLEN), in bytes.
 */
const MAX_REMOTE_BYTES = 128 * 1024 - 1;

/**
 * Runs the command in a session of its own where the host has setsid (else in the one that sshd
 * made), marked by a variable that whatever it starts inherits, and says on stderr, in records that begin with the marker, which pid and process group it
 * has, which pid this wrapper has, and how the command ended. The pid is the command's own shell: the inner sh names itself, then becomes it.
 * Only double quotes here, and no `!`: see `remoteCommand`.
 */
const WRAPPER = [
  'c=$(printf "%b_" "$2")',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
  'c=${c%_}',
  's=$(command -v setsid)',
  'g=$$',
  'test -z "$s" || g=',
  'trap : HUP INT QUIT TERM',
  'exec 3>&2 2>/dev/null', // this shell's own "Killed" is not the command's
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
  'export CRUNNER_SSH="${1%:}"',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell, not a template
  '$s /bin/sh -c "exec 2>&3 3>&-; printf %s \\"\\$0pid \\$\\$ \\${1:-\\$\\$} \\$3;\\" >&2; exec /bin/sh -c -- \\"\\$2\\"" "$1" "$g" "$c" "$$"',
  'r=$?',
  'trap "" PIPE', // with its reader, sshd closes this side's stderr too: the exit code still goes through
  'printf %s "$1end $r;" >&3',
  'exit $r',
].join('; ');

/**
 * The text for the remote login shell, which may be any shell (csh and fish quote otherwise than sh):
 * single quotes round characters that mean nothing to any of them; the rest of the command goes as
 * the octal numbers that printf's `%b` takes. `marker` is of such characters, and hard to guess.
 */
export function remoteCommand(cmd: string, marker: string): string {
  if (cmd.includes('\0')) throw new SshError('command', 'a command cannot hold a NUL');
  return `exec /bin/sh -c '${WRAPPER}' ${marker} ${marker} '${encoded(cmd)}'`;
}

/** Whether the text for a remote login shell is short enough for it, and for the client. */
export function fitsSsh(remoteText: string): boolean {
  return remoteText.length <= MAX_REMOTE_BYTES;
}

/** Text that every login shell takes between single quotes as it is, and printf's `%b` turns back. */
function encoded(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\w ./:=,@+-]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/**
 * A script of ours for the remote login shell, whatever that one is. No input, a NUL nowhere.
 */
export function remoteScript(script: string): string {
  return `exec /bin/sh -c 'c=$(printf "%b_" "$1"); eval "\${c%_}"' sh '${encoded(script)}'`;
}

/** Why ssh itself failed, from what it wrote before the command began. */
export function sshFailure(target: SshTarget, text: string, exit: number): SshError {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const reason = lines.at(-1)?.trim() ?? `ssh ended with ${exit} and gave no reason`;
  const failure: SshFailure = exit !== SSH_FAILED ? 'remote' : kindOf(text);
  const why = failure === 'hostkey' ? `${aboutKey(lines)}${reason}` : reason;
  return new SshError(failure, `cannot run on ${sshTargetText(target)}: ${why}`);
}

function kindOf(text: string): SshFailure {
  if (/host key verification failed|host identification has changed/i.test(text)) return 'hostkey';
  if (/permission denied|authentication failures|no supported authentication/i.test(text)) {
    return 'denied';
  }
  if (/^command-line|bad configuration option|^cannot execute command-line and/im.test(text))
    return 'option';
  return 'unreachable';
}

/** The client's last line is the same for a key that is unknown and one that is another's. */
function aboutKey(lines: readonly string[]): string {
  if (lines.some((line) => /revoked host key/i.test(line))) return 'its host key is revoked; ';
  if (!lines.some((line) => /host identification has changed/i.test(line)))
    return 'its host key is unknown; ';
  const known = lines.find((line) => /^offending /i.test(line));
  return `REMOTE HOST IDENTIFICATION HAS CHANGED${known === undefined ? '' : ` (${known.trim()})`}; `;
}
