import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, systemErrorCode, UsageError } from '../errors.ts';
import type { Logger } from '../log.ts';

/** The files that a server shows and trusts. */
export interface TlsPlaces {
  /** The certificate, and behind it those of the authorities between it and the root. */
  readonly cert: string;
  readonly key: string;
  /** Certificates of the authorities whose clients are let in, and no others; undefined: clients show none. */
  readonly clientCA?: string | undefined;
}

/** What TLS takes. */
export interface TlsMaterial {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

/** How often the files are looked at, in milliseconds: links may be changed that no watch sees. */
const LOOK_MS = 1000;

/**
 * The files of TLS as they are now. When they change they are read again; a pair that does not fit is told of and not
 * used. Connections that are open go on as they began.
 */
export class TlsFiles {
  readonly wantsClientCert: boolean;
  readonly #places: TlsPlaces;
  readonly #log: Logger;
  readonly #onChange: Array<(material: TlsMaterial) => void> = [];
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial;
  #seen: string;

  /** @throws UsageError when the files cannot be read, or are no pair */
  constructor(places: TlsPlaces, log: Logger) {
    this.#places = places;
    this.#log = log;
    this.wantsClientCert = places.clientCA !== undefined;
    this.#seen = stateOf(places);
    try {
      this.#material = read(places);
    } catch (error) {
      const files = [places.cert, places.key, places.clientCA ?? ''].filter((file) => file !== '');
      throw new UsageError(`TLS cannot use ${files.join(', ')}: ${messageOf(error)}`, {
        ...(/^$|^ERR_/.test(systemErrorCode(error) ?? '') && {
          hint: 'each file is PEM: it begins with -----BEGIN; and the key is that of the certificate',
        }),
        cause: error,
      });
    }
    warnOfReaders(places.key, log);
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  onChange(listener: (material: TlsMaterial) => void): void {
    this.#onChange.push(listener);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const state = stateOf(this.#places);
    if (state === this.#seen) return;
    this.#seen = state;
    try {
      this.#material = read(this.#places);
    } catch (error) {
      // Perhaps the other half of the pair comes yet: then they change again.
      const reason = messageOf(error);
      this.#log.warn('the new TLS files are not used, the former ones stay', { reason });
      return;
    }
    this.#log.info('the new TLS files are used', { cert: this.#places.cert });
    warnOfReaders(this.#places.key, this.#log);
    for (const listener of this.#onChange) listener(this.#material);
  }
}

function read({ cert, key, clientCA }: TlsPlaces): TlsMaterial {
  // OpenSSL passes over what is no certificate here: then nobody would be let in.
  const ca = clientCA === undefined ? undefined : readFileSync(clientCA);
  if (ca !== undefined) new X509Certificate(ca);
  const options: SecureContextOptions = {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
  };
  return { options, context: createSecureContext(options) };
}

/** Changes when one of the files does. */
function stateOf(places: TlsPlaces): string {
  return [places.cert, places.key, places.clientCA ?? '']
    .map((file) => {
      const stat = file === '' ? undefined : statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? '-' : [stat.dev, stat.ino, stat.size, stat.mtimeMs].join(':');
    })
    .join(' ');
}

function warnOfReaders(key: string, log: Logger): void {
  if ((statSync(key).mode & 0o077) === 0) return;
  log.warn('other users can read the private key', { key, remedy: `chmod 600 ${key}` });
}
