import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

// The files of a program as the build has made them, and what V8 made of them at the build, so that a start compiles
// nothing (docs/decisions/0035). A file holds one function, with the parameters of a CommonJS module.

interface OwnModule {
  exports: unknown;
}

type Body = (
  exports: unknown,
  require: (name: string) => unknown,
  module: OwnModule,
  file: string,
  folder: string,
  importPart: (name: string, packages?: readonly string[]) => Promise<unknown>,
) => void;

/** What stands before the compiled code in a cache file: one line of JSON. */
interface CacheHead {
  /** Which Node has made it. */
  readonly madeBy: string;
  /** Of each file, where its code begins behind this line, and how long it is. */
  readonly parts: Readonly<Record<string, readonly [start: number, length: number]>>;
}

const NEWLINE = 0x0a;
/** Longer than the first line of any cache file, in bytes: it names some ten files. */
const MOST_HEAD = 16 * 1024;
/** A package by its name, or a part of Node. */
const requirePackage = createRequire(__filename);
/** What cannot be required: packages that are ES modules. */
const imported = new Map<string, unknown>();
const modules = new Map<string, OwnModule>();
/** Of each program that was loaded, its files. */
const programs = new Map<string, Map<string, Script>>();

/** Another Node may read the same code as something else. V8 itself looks at its version and at its flags. */
const thisNode = () =>
  `${process.platform} ${process.arch} ${cachedDataVersionTag()} ${Object.values(process.versions).join()}`;

/**
 * Loads a program that stands beside this file; returns what it exports.
 * @param entry its file, whose name says what is in it: a cache with that name is of no other
 * @throws what the program throws
 */
export function load(entry: string): unknown {
  const compiled = readCache(`${entry}.cache`);
  const scripts = new Map<string, Script>();
  programs.set(entry, scripts);
  const own = (name: string): unknown => {
    const known = modules.get(name);
    if (known !== undefined) return known.exports;
    const file = join(__dirname, name);
    const module: OwnModule = { exports: {} };
    modules.set(name, module); // before it runs: files may need each other
    const script = new Script(readFileSync(file, 'latin1'), {
      filename: file,
      cachedData: compiled(name),
    });
    scripts.set(name, script);
    // The build wraps each file in this function.
    const body = script.runInThisContext() as Body;
    const require = (other: string) =>
      other.startsWith('./') ? own(other) : (imported.get(other) ?? requirePackage(other));
    const importPart = async (other: string, packages: readonly string[] = []) => {
      if (!other.startsWith('./')) return import(other);
      for (const name of packages) imported.set(name, await import(name));
      return own(other);
    };
    try {
      body(module.exports, require, module, file, __dirname, importPart);
    } catch (error) {
      modules.delete(name); // half of it is no module
      throw error;
    }
    return module.exports;
  };
  return own(`./${entry}`);
}

/** Of each program that was loaded, what V8 has compiled so far, with the functions that have run: for a cache file. */
export function compiledSoFar(): ReadonlyMap<string, Buffer> {
  return new Map([...programs].map(([entry, scripts]) => [`${entry}.cache`, packed(scripts)]));
}

function packed(scripts: ReadonlyMap<string, Script>): Buffer {
  const parts: Record<string, [number, number]> = {};
  const codes: Buffer[] = [];
  let length = 0;
  for (const [name, script] of scripts) {
    const code = script.createCachedData();
    // V8 reads it where it stands, and wants it aligned: it would copy it otherwise.
    const padded = Buffer.alloc(Math.ceil(code.length / 16) * 16);
    code.copy(padded);
    parts[name] = [length, code.length];
    codes.push(padded);
    length += padded.length;
  }
  const head: CacheHead = { madeBy: thisNode(), parts };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...codes]);
}

/**
 * Reads the compiled code of a file when that is loaded, so that it is not kept in memory. There is none without a cache,
 * and when another Node has made it.
 */
function readCache(name: string): (part: string) => Buffer | undefined {
  const file = join(__dirname, name);
  try {
    const { madeBy, parts, start } = headOf(file);
    if (madeBy !== thisNode()) return () => undefined;
    return (part) => {
      const [from, length] = parts[part] ?? [0, 0];
      return length === 0 ? undefined : bytesAt(file, start + from, length);
    };
  } catch {
    return () => undefined; // it is not there, as after an install from a package, or not whole: that costs time alone
  }
}

/** The first line, which the build has written, and where the codes begin. */
function headOf(file: string): CacheHead & { readonly start: number } {
  const bytes = bytesAt(file, 0, MOST_HEAD);
  const start = bytes.indexOf(NEWLINE) + 1;
  return { ...(JSON.parse(bytes.toString('latin1', 0, start)) as CacheHead), start };
}

/** Bytes of a file, fewer where it ends. */
function bytesAt(file: string, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  const fd = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, length, from));
  } finally {
    closeSync(fd);
  }
}
