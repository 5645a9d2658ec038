import { accessSync, constants } from 'node:fs';
import {
  parseSshTarget,
  type SshConnection,
  SshError,
  type SshTarget,
  sshTargetText,
} from '../../../crunner/ssh/ssh.ts';
import { BadRequestError, messageOf, PmanError, UsageError } from '../../errors.ts';

export interface SshHostsOptions {
  /** `host`, `user@host`, each with `:port` or for port 22. None: nothing goes to other hosts. */
  readonly hosts: readonly string[];
  /** The private key for all of them; default: what the ssh client's own configuration says. */
  readonly identity: string | undefined;
  /** The file of their keys; default: the client's. */
  readonly knownHosts: string | undefined;
}

/** The hosts to which a request may send its job, and how they are reached. */
export class SshHosts {
  readonly #allowed: ReadonlySet<string>;
  readonly #options: readonly string[];

  /** @throws UsageError for what is no host, or a file that cannot be read */
  constructor({ hosts, identity, knownHosts }: SshHostsOptions) {
    this.#allowed = new Set(hosts.map(allowedEntry));
    this.#options = [
      ...(identity === undefined
        ? []
        : ['IdentitiesOnly=yes', `IdentityFile=${sshPath('sshIdentity', identity)}`]),
      ...(knownHosts === undefined
        ? []
        : [`UserKnownHostsFile=${sshPath('sshKnownHosts', knownHosts)}`]),
    ];
  }

  /** Whether jobs may go to any other host. */
  get areThere(): boolean {
    return this.#allowed.size > 0;
  }

  /**
   * The way to the host that a request names as `user@host[:port]`.
   * @throws PmanError forbidden for a host that is not allowed, BadRequestError for what is no host
   */
  connectionTo(text: string): SshConnection {
    if (this.#allowed.size === 0) {
      throw new PmanError(
        'forbidden',
        'run: "meta.ssh": this server sends no jobs to other hosts',
        {
          hint: 'start pman with --sshHosts to allow it',
        },
      );
    }
    const target = targetOf(text);
    const entries = [entryOf(target), entryOf({ ...target, user: '' })];
    if (!entries.some((entry) => this.#allowed.has(entry))) {
      throw new PmanError(
        'forbidden',
        `run: "meta.ssh": jobs may not go to ${sshTargetText(target)}`,
        { hint: 'the server was started with --sshHosts for others' },
      );
    }
    return { target, options: this.#options };
  }
}

/** A target whose port is known, whatever the client's configuration says. */
type PortTarget = Required<SshTarget>;

const withPort = (target: SshTarget): PortTarget => ({ ...target, port: target.port ?? 22 });

function targetOf(text: string): PortTarget {
  try {
    return withPort(parseSshTarget(text));
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    const { hint } = error;
    throw new BadRequestError(`run: "meta.ssh": ${messageOf(error)}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

/** What an allowed host and the target of a request are compared by; names of hosts are of any case. */
function entryOf({ user, host, port }: PortTarget): string {
  return `${user}@${host.toLowerCase()} ${port}`;
}

function allowedEntry(text: string): string {
  try {
    const anyUser = !text.includes('@');
    const target = withPort(parseSshTarget(anyUser ? `any@${text}` : text));
    return entryOf(anyUser ? { ...target, user: '' } : target);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    throw new UsageError(
      `--sshHosts ${JSON.stringify(text)} is none of host, host:port, user@host, user@host:port`,
      { cause: error },
    );
  }
}

/** A path as the ssh client's options take it: quoted, and without tokens. */
function sshPath(flag: string, path: string): string {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new UsageError(`--${flag} ${JSON.stringify(path)} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (/["\\\n]/.test(path)) {
    throw new UsageError(
      `--${flag} ${JSON.stringify(path)} holds a character that ssh cannot take`,
    );
  }
  return `"${path.replaceAll('%', '%%')}"`;
}
