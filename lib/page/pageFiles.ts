import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  /** An entity tag (RFC 9110, 8.8.3), in its quotes. */
  readonly tag: string;
  /** Whether its name changes with what is in it, so that it never has to be asked for again. */
  readonly isHashed: boolean;
  readonly bytes: Buffer;
  /** The same, compressed when the package was built, by the name of the encoding; the best first. */
  readonly encoded: ReadonlyMap<string, Buffer>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/** The document of the page, whose views are places in it. */
const DOCUMENT = 'index.html';

/** The page as the build has left it: a few small files, which are read once. */
export class PageFiles {
  readonly #folder: string;
  #files: ReadonlyMap<string, PageFile> | undefined;
  /** The document in the colours that somebody has chosen, by their name. */
  readonly #themed = new Map<string, PageFile>();

  /** @param folder where they are; default: that of this package */
  constructor(folder = builtFolder()) {
    this.#folder = folder;
  }

  /**
   * The file for a path below the root of the server, without its query: `/` and `/ui` and the views below it are the
   * document. Undefined when there is none.
   * @param theme the colours that the document is to have, in place of the system's
   */
  at(path: string, theme?: string): PageFile | undefined {
    this.#files ??= filesIn(this.#folder);
    const name = /^\/ui\/([^/]+\.[a-z]+)$/.exec(path)?.[1];
    // A view is no file: so may the id of a job be, which has a dot in it.
    if (name !== undefined && extname(name) in TYPES) return this.#files.get(name);
    if (!/^\/(ui(\/.*)?)?$/.test(path)) return undefined;
    const document = this.#files.get(DOCUMENT);
    if (theme === undefined || document === undefined) return document;
    const themed = this.#themed.get(theme) ?? inColours(document, theme);
    this.#themed.set(theme, themed);
    return themed;
  }
}

function inColours(document: PageFile, theme: string): PageFile {
  const text = document.bytes.toString().replace('<html ', `<html data-theme="${theme}" `);
  const bytes = Buffer.from(text);
  const encoded = new Map([
    ['br', brotliCompressSync(bytes)],
    ['gzip', gzipSync(bytes)],
  ]);
  return { ...document, bytes, tag: tagOf(bytes), encoded };
}

const tagOf = (bytes: Buffer) =>
  `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;

/** Beside the bundled programs, or where the build has put it when pman runs from its sources. */
function builtFolder(): string {
  const beside = fileURLToPath(new URL('../page', import.meta.url));
  if (existsSync(join(beside, DOCUMENT))) return beside;
  return fileURLToPath(new URL('../../dist/page', import.meta.url));
}

function filesIn(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(folder, name));
    files.set(name, {
      ...{ type, bytes },
      tag: tagOf(bytes),
      isHashed: /-[A-Z0-9]{8}\.[a-z]+$/.test(name),
      encoded: new Map(
        ENCODINGS.flatMap(([encoding, suffix]) => {
          const place = join(folder, name + suffix);
          return existsSync(place) ? [[encoding, readFileSync(place)] as const] : [];
        }),
      ),
    });
  }
  return files;
}
