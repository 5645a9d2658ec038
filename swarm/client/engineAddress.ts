import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, systemErrorCode, UsageError } from '../../lib/errors.ts';

/** How an engine is reached, after every setting was looked at. */
export type EngineAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: EngineTls }
  | { readonly kind: 'ssh'; readonly host: string; readonly port?: number; readonly user?: string };

/** TLS towards the engine: PEM texts, each only where the user has it. */
export interface EngineTls {
  readonly verify: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface EngineSettings {
  /** The process's environment: DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_CONTEXT, DOCKER_CONFIG. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, for `~/.docker`. */
  readonly home: string;
  /** An address that was named outright (a config file's `base_url`): it wins over everything else. */
  readonly baseUrl?: string;
}

const defaultSocket = '/var/run/docker.sock';

/**
 * Which engine the user means, by the rules of the docker command: an address given outright, then DOCKER_HOST,
 * then the context of DOCKER_CONTEXT or of `docker context use`, then the default socket.
 * Throws UsageError for settings that name no usable engine.
 */
export async function engineAddress(settings: EngineSettings): Promise<EngineAddress> {
  const { env, home, baseUrl } = settings;
  const url = baseUrl ?? env.DOCKER_HOST;
  if (url) return parseAddress(url, await tlsOfEnvironment(settings));
  const configDir = env.DOCKER_CONFIG || join(home, '.docker');
  const context = env.DOCKER_CONTEXT || (await currentContext(configDir));
  if (context && context !== 'default') return addressOfContext(configDir, context);
  const userSocket = join(home, '.docker/run/docker.sock');
  return { kind: 'socket', path: (await exists(userSocket)) ? userSocket : defaultSocket };
}

/** The address as a user would write it, for messages. */
export function addressText(address: EngineAddress): string {
  switch (address.kind) {
    case 'socket':
      return `unix://${address.path}`;
    case 'tcp':
      return `${address.tls ? 'https' : 'tcp'}://${address.host}:${address.port}`;
    case 'ssh':
      return `ssh://${address.host}`;
  }
}

/**
 * Reads an address as in DOCKER_HOST: unix://, tcp://, http(s)://, ssh:// or `host:port` without a scheme. A port alone is one of
 * this machine.
 */
export function parseAddress(text: string, tls?: EngineTls): EngineAddress {
  const socket = /^(?:http\+)?unix:(?:\/\/)?(.*)$/.exec(text)?.[1];
  // docker-py reads unix://var/run/docker.sock as the absolute path, too.
  if (socket !== undefined) return { kind: 'socket', path: socketPath(socket) };
  const named = text.includes('://') ? text : `tcp://${text}`;
  const full = named.replace('://:', '://127.0.0.1:');
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url?.hostname) throw notAnAddress(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? undefined : Number(url.port);
  switch (url.protocol) {
    case 'ssh:':
      return {
        kind: 'ssh',
        host,
        ...(port && { port }),
        ...(url.username && { user: url.username }),
      };
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secure = tls ?? (url.protocol === 'https:' ? { verify: true } : undefined);
      // The URL class drops the ports that its own schemes default to; Docker's defaults are others.
      const given = port ?? portInText(full);
      return {
        kind: 'tcp',
        host,
        port: given ?? (secure ? 2376 : 2375),
        ...(secure && { tls: secure }),
      };
    }
    default:
      throw notAnAddress(text);
  }
}

const notAnAddress = (text: string) =>
  new UsageError(`"${text}" is not the address of a Docker Engine`, {
    hint: 'it is as DOCKER_HOST has it: unix:///path, tcp://host:port, https://host:port or ssh://user@host',
  });

function portInText(url: string): number | undefined {
  const port = /^\w+:\/\/[^/]*:(\d+)(?:\/|$)/.exec(url)?.[1];
  return port === undefined ? undefined : Number(port);
}

function socketPath(path: string): string {
  if (path === '') return defaultSocket;
  return path.startsWith('/') ? path : `/${path}`;
}

// As docker-py and Docker's Go library: a certificate folder alone means TLS without checking the server.
async function tlsOfEnvironment({ env, home }: EngineSettings): Promise<EngineTls | undefined> {
  const verify = Boolean(env.DOCKER_TLS_VERIFY);
  const folder = env.DOCKER_CERT_PATH;
  if (!verify && !folder) return undefined;
  return tlsOfFolder(folder || join(home, '.docker'), verify);
}

async function tlsOfFolder(folder: string, verify: boolean): Promise<EngineTls> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readIfThere(join(folder, name))),
  );
  return { verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

const dockerConfig = z.looseObject({ currentContext: z.string().optional() });

async function currentContext(configDir: string): Promise<string | undefined> {
  const file = join(configDir, 'config.json');
  const text = await readIfThere(file);
  return text === undefined ? undefined : parseJsonFile(file, text, dockerConfig).currentContext;
}

const contextMeta = z.looseObject({
  Endpoints: z.looseObject({
    docker: z.looseObject({ Host: z.string(), SkipTLSVerify: z.boolean().optional() }),
  }),
});

/** A context's files lie in a folder named by the SHA-256 of its name. */
async function addressOfContext(configDir: string, name: string): Promise<EngineAddress> {
  const folder = createHash('sha256').update(name).digest('hex');
  const file = join(configDir, 'contexts/meta', folder, 'meta.json');
  const text = await readIfThere(file);
  if (text === undefined) {
    throw new UsageError(`there is no docker context "${name}" in ${configDir}`, {
      hint: '`docker context ls` shows them; DOCKER_CONTEXT and DOCKER_HOST choose another one',
    });
  }
  const { docker } = parseJsonFile(file, text, contextMeta).Endpoints;
  const tls = await tlsOfFolder(
    join(configDir, 'contexts/tls', folder, 'docker'),
    !docker.SkipTLSVerify,
  );
  return parseAddress(docker.Host, tls.ca || tls.cert || tls.key ? tls : undefined);
}

function parseJsonFile<T>(file: string, text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
