import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Audit } from '../access/auditLog.ts';
import type { FileioEndpoint, FileioOptions } from '../actions/action.ts';
import { messageOf, PmanError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { EndpointFront, EndpointRequest, FromEndpoints } from './endpointMessages.ts';

export interface EndpointOptions extends FileioOptions {
  readonly ip: string;
  /** The file of the tokens; undefined serves everybody, as pman does without tokens. */
  readonly tokenPath: string | undefined;
  readonly front: EndpointFront;
  readonly log: Logger;
  /** Where it is written who moved what. */
  readonly audit: Audit;
}

/**
 * Returns what opens a pfioh beside pman: on a free port of the same address, for one transfer with the checks that go
 * before it, or for as long as pman runs. Who may use it is who may use pman, and it reaches nothing outside of the
 * store. All of them are in one process of their own: nothing that is sent there can end or delay pman, and the
 * process ends with pman, however that ends.
 */
export function fileioOpener(store: string): (options: EndpointOptions) => Promise<FileioEndpoint> {
  let child: ChildProcess | undefined;
  let lastId = 0;
  let shared: Promise<FileioEndpoint> | undefined;
  const open = async (
    options: EndpointOptions,
    process: ChildProcess,
    onEnded = (): void => undefined,
  ) => {
    const { ip, tokenPath, front, forever, log } = options;
    lastId += 1;
    const request = { id: lastId, ip, tokenPath, forever, store, front };
    const at = await ask(process, request, onEnded);
    log.info('a file transfer endpoint was opened', { port: at.port, forever });
    const scheme = front.tls === undefined ? 'http' : 'https';
    return { ...at, scheme, folder: store } as const;
  };
  return async (options) => {
    if (child?.connected !== true) {
      child = startProcess(options);
      shared = undefined;
    }
    if (options.shared !== true) return open(options, child);
    if (shared !== undefined) return shared;
    // A client may have told it to quit: whoever asks next gets another one.
    const forget = () => {
      if (shared === opening) shared = undefined;
    };
    const opening: Promise<FileioEndpoint> = open(options, child, forget);
    shared = opening;
    opening.catch(forget);
    return opening;
  };
}

function startProcess({ log, audit }: EndpointOptions): ChildProcess {
  const child = spawn(process.execPath, [programFile()], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('error', (error) =>
    log.error('file transfer endpoints fail', { why: messageOf(error) }),
  );
  child.on('exit', (code, signal) =>
    log.warn('file transfer endpoints have ended', { code, signal }),
  );
  child.on('message', (message: FromEndpoints) => {
    if (message.kind === 'log') log[message.level](message.text, message.fields);
    if (message.kind === 'deed') audit.write(message.deed);
    if (message.kind === 'refusal') audit.refused(message.deed);
  });
  child.setMaxListeners(0); // each endpoint that is open is one
  // pman may end while it is there.
  child.unref();
  child.channel?.unref();
  return child;
}

/** @param onEnded called when what was opened has ended; not when its process has */
function ask(
  child: ChildProcess,
  request: EndpointRequest,
  onEnded: () => void,
): Promise<Pick<FileioEndpoint, 'ip' | 'port'>> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.off('message', onMessage).off('exit', onExit);
      reject(new PmanError('unavailable', `cannot open a file transfer endpoint: ${why}`));
    };
    const onExit = () => fail('its process has ended');
    const onMessage = (message: FromEndpoints) => {
      if (!('id' in message) || message.id !== request.id) return;
      if (message.kind === 'failed') return fail(message.why);
      if (message.kind === 'ended') {
        child.off('message', onMessage);
        onEnded();
        return;
      }
      child.off('exit', onExit);
      resolve({ ip: message.ip, port: message.port });
    };
    child.on('message', onMessage).on('exit', onExit);
    child.send(request, (error) => {
      if (error !== null) fail(messageOf(error));
    });
  });
}

/** The program of the endpoints: beside this file, compiled or (under a loader) as source. */
function programFile(): string {
  const compiled = fileURLToPath(new URL('./endpointProcess.cjs', import.meta.url));
  return existsSync(compiled)
    ? compiled
    : fileURLToPath(new URL('./endpointProcess.ts', import.meta.url));
}
