/** Where in some bytes the members of a line of the index file stand: texts from a place to the one behind their end. */
export interface LineParts {
  root: number;
  rootEnd: number;
  /** -1 where there is none; so are the others. */
  jid: number;
  jidEnd: number;
  auid: number;
  auidEnd: number;
  status: string | undefined;
  state: string | undefined;
  /** Not a number where it is not told. */
  bytes: number;
  cmd: number;
  cmdEnd: number;
  isLong: boolean;
  runsOn: string | undefined;
  key: number;
  keyEnd: number;
  digest: number;
  digestEnd: number;
  exit: number | null | undefined;
  /** Not a number where it is not told. */
  startUs: number;
  endUs: number;
  code: string | undefined;
  cause: number;
  causeEnd: number;
  /** Not numbers where it is not told. */
  outlineAt: number;
  outlineSize: number;
}

const NONE = -1;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;
const CLOSE_LIST = 0x5d;
const MINUS = 0x2d;

const ROOT = Buffer.from('{"root":"');
const JID = Buffer.from(',"jid":"');
const AUID = Buffer.from(',"auid":"');
const STATUS = Buffer.from(',"status":"');
const STATE = Buffer.from(',"state":"');
const BYTES = Buffer.from(',"bytes":');
const CMD = Buffer.from(',"cmd":"');
const LONG = Buffer.from(',"isLong":true');
const RUNS_ON = Buffer.from(',"runsOn":"');
const KEY = Buffer.from(',"key":"');
const DIGEST = Buffer.from(',"digest":"');
const EXIT_NULL = Buffer.from(',"exit":null');
const EXIT = Buffer.from(',"exit":');
const START = Buffer.from(',"startUs":');
const END = Buffer.from(',"endUs":');
const CODE = Buffer.from(',"code":"');
const CAUSE = Buffer.from(',"cause":"');
const OUTLINE = Buffer.from(',"outline":[');
const COMMA = Buffer.from(',');

/**
 * Reads lines of the index file as pman writes them: members in one order, texts without a backslash. Other lines are JSON too
 * and are read as that; this is three times as fast, and makes no objects.
 */
export class IndexLine implements LineParts {
  root = 0;
  rootEnd = 0;
  jid = NONE;
  jidEnd = 0;
  auid = NONE;
  auidEnd = 0;
  status: string | undefined;
  state: string | undefined;
  bytes = Number.NaN;
  cmd = NONE;
  cmdEnd = 0;
  isLong = false;
  runsOn: string | undefined;
  key = NONE;
  keyEnd = 0;
  digest = NONE;
  digestEnd = 0;
  exit: number | null | undefined;
  startUs = Number.NaN;
  endUs = Number.NaN;
  code: string | undefined;
  cause = NONE;
  causeEnd = 0;
  outlineAt = Number.NaN;
  outlineSize = Number.NaN;
  /** Where the text ends that was read last; -1 when it is none that can be read here. */
  #end = 0;
  /** The words of members that have few, by their bytes. */
  readonly #words: (readonly [Buffer, string])[] = [];

  /** Whether a line can be read so; then the members say what is in it. */
  read(bytes: Buffer, from: number, to: number): boolean {
    this.root = this.#text(bytes, from, to, ROOT);
    this.rootEnd = this.#end;
    if (this.root === NONE) return false;
    let at = this.#end + 1;
    this.jid = this.#text(bytes, at, to, JID);
    this.jidEnd = this.#end;
    at = this.#behind(at, this.jid);
    this.auid = this.#text(bytes, at, to, AUID);
    this.auidEnd = this.#end;
    at = this.#behind(at, this.auid);
    const status = this.#text(bytes, at, to, STATUS);
    this.status = this.#word(bytes, status);
    at = this.#behind(at, status);
    const state = this.#text(bytes, at, to, STATE);
    this.state = this.#word(bytes, state);
    at = this.#behind(at, state);
    this.bytes = this.#number(bytes, at, to, BYTES);
    at = this.#behindNumber(at, this.bytes);
    this.cmd = this.#text(bytes, at, to, CMD);
    this.cmdEnd = this.#end;
    at = this.#behind(at, this.cmd);
    this.isLong = isAt(bytes, at, to, LONG);
    if (this.isLong) at += LONG.length;
    const runsOn = this.#text(bytes, at, to, RUNS_ON);
    this.runsOn = this.#word(bytes, runsOn);
    at = this.#behind(at, runsOn);
    this.key = this.#text(bytes, at, to, KEY);
    this.keyEnd = this.#end;
    at = this.#behind(at, this.key);
    this.digest = this.#text(bytes, at, to, DIGEST);
    this.digestEnd = this.#end;
    at = this.#behind(at, this.digest);
    at = this.#ending(bytes, at, to);
    return at === to - 1 && bytes[at] === CLOSE && this.cmd !== NONE && this.status !== undefined;
  }

  /** Reads how the job ended, as far as that stands there; where what is behind it begins. */
  #ending(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (isAt(bytes, at, to, EXIT_NULL)) {
      this.exit = null;
      at += EXIT_NULL.length;
    } else {
      const exit = this.#number(bytes, at, to, EXIT);
      this.exit = Number.isNaN(exit) ? undefined : exit;
      at = this.#behindNumber(at, exit);
    }
    this.startUs = this.#number(bytes, at, to, START);
    at = this.#behindNumber(at, this.startUs);
    this.endUs = this.#number(bytes, at, to, END);
    at = this.#behindNumber(at, this.endUs);
    const code = this.#text(bytes, at, to, CODE);
    this.code = this.#word(bytes, code);
    at = this.#behind(at, code);
    this.cause = this.#text(bytes, at, to, CAUSE);
    this.causeEnd = this.#end;
    return this.#outline(bytes, this.#behind(at, this.cause), to);
  }

  /** Reads where its outline is, as far as that stands there; where what is behind it begins. */
  #outline(bytes: Buffer, from: number, to: number): number {
    this.outlineAt = this.#number(bytes, from, to, OUTLINE);
    this.outlineSize = Number.NaN;
    if (Number.isNaN(this.outlineAt)) return from;
    this.outlineSize = this.#number(bytes, this.#end, to, COMMA);
    return bytes[this.#end] === CLOSE_LIST ? this.#end + 1 : from;
  }

  /** Where the text of a member begins; -1 where that member does not stand there. */
  #text(bytes: Buffer, from: number, to: number, name: Buffer): number {
    if (!isAt(bytes, from, to, name)) return NONE;
    const start = from + name.length;
    for (let at = start; at < to; at += 1) {
      const character = bytes[at];
      if (character === QUOTE) {
        this.#end = at;
        return start;
      }
      // No JSON has others: a crash has garbled the line.
      if (character === BACKSLASH || character === undefined || character < 0x20) return NONE;
    }
    return NONE;
  }

  #behind(at: number, text: number): number {
    return text === NONE ? at : this.#end + 1;
  }

  /** An integer, where that member stands there; else not a number. */
  #number(bytes: Buffer, from: number, to: number, name: Buffer): number {
    if (!isAt(bytes, from, to, name)) return Number.NaN;
    let at = from + name.length;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    let number = 0;
    for (; at < to; at += 1) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    this.#end = at;
    return isNegative ? -number : number;
  }

  #behindNumber(at: number, number: number): number {
    return Number.isNaN(number) ? at : this.#end;
  }

  #word(bytes: Buffer, from: number): string | undefined {
    if (from === NONE) return undefined;
    const length = this.#end - from;
    for (const [known, word] of this.#words) {
      if (known.length === length && isAt(bytes, from, this.#end, known)) return word;
    }
    const word = bytes.toString('utf8', from, this.#end);
    if (this.#words.length < 64) this.#words.push([Buffer.from(word), word]);
    return word;
  }
}

function isAt(bytes: Buffer, from: number, to: number, text: Buffer): boolean {
  const { length } = text;
  if (from + length > to) return false;
  for (let i = 0; i < length; i += 1) if (bytes[from + i] !== text[i]) return false;
  return true;
}
