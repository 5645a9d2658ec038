import { Readable, Writable } from 'node:stream';
import { BadRequestError } from '../errors.ts';

export interface FormHandlers {
  /** Whether the content of a part is handed on as it comes; else it is kept as text. */
  readonly isFile: (name: string) => boolean;
  readonly onField: (name: string, value: string) => void;
  /** A part that has to be read, or the form stands still; it fails when the form breaks off. */
  readonly onFile: (name: string, content: Readable) => void;
  /** Counts bytes of fields, which are kept; what it throws ends the form. */
  readonly onFieldBytes?: (bytes: number) => void;
}

const MAX_BOUNDARY = 70;
const MAX_HEAD_BYTES = 16 * 1024;
/** Of all fields together. */
const MAX_FIELD_BYTES = 4 * 1024 * 1024;
export const MAX_PARTS = 32;
const WAITING_BYTES = 1024 * 1024;

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/**
 * The boundary that a content type names.
 * @throws BadRequestError when there is none
 */
export function boundaryOf(contentType: string): string {
  const found = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2] ?? '';
  if (boundary === '' || boundary.length > MAX_BOUNDARY) {
    throw new BadRequestError('the form cannot be read: its content type names no boundary');
  }
  return boundary;
}

interface Part {
  readonly name: string;
  /** Where the content goes; undefined for a field. */
  readonly file: PartStream | undefined;
}

type State =
  /** Before the first boundary. */
  | { readonly kind: 'before' }
  /** Behind a boundary: the head of a part comes, or two dashes. */
  | { readonly kind: 'head' }
  | { readonly kind: 'part'; readonly part: Part }
  | { readonly kind: 'after' };

/**
 * Takes a multipart form (RFC 7578) apart as it comes. The content of a file is passed on in the
 * pieces that it came in: nothing but the search for the boundary, by Node's own `indexOf`, looks at
 * its bytes.
 */
export class FormParser extends Writable {
  readonly #delimiter: Buffer;
  readonly #handlers: FormHandlers;
  #state: State = { kind: 'before' };
  // The first boundary stands at the start of a line too.
  #held: Buffer = Buffer.from('\r\n');
  #field: Buffer[] = [];
  #fieldBytes = 0;
  #parts = 0;

  constructor(boundary: string, handlers: FormHandlers) {
    super({ highWaterMark: WAITING_BYTES });
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#handlers = handlers;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    let rest: Buffer = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    let waitFor: PartStream | undefined;
    try {
      while (rest.length > 0 && this.#state.kind !== 'after') {
        if (this.#state.kind === 'head') {
          const next = this.#head(rest);
          if (next === undefined) break;
          rest = next;
          continue;
        }
        const at = rest.indexOf(this.#delimiter);
        const end = at < 0 ? rest.length - this.#startedDelimiter(rest) : at;
        if (end > 0) waitFor = this.#content(rest.subarray(0, end)) ?? waitFor;
        if (at < 0) {
          this.#held = rest.subarray(end);
          break;
        }
        this.#endPart();
        waitFor = undefined; // Nobody asks an ended stream for more.
        this.#state = { kind: 'head' };
        rest = rest.subarray(at + this.#delimiter.length);
      }
    } catch (error) {
      done(error instanceof Error ? error : new BadRequestError(String(error)));
      return;
    }
    if (waitFor === undefined) done();
    else waitFor.whenWanted(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const whole = this.#state.kind === 'after';
    done(whole ? null : new BadRequestError('the form ends before its last boundary'));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#state.kind === 'part') {
      this.#state.part.file?.destroy(error ?? new BadRequestError('the form broke off'));
    }
    // The request may hold on to this for as long as its sender goes on.
    this.#field = [];
    this.#held = NOTHING;
    done(error);
  }

  /** How many bytes at the end may be the start of a boundary. */
  #startedDelimiter(rest: Buffer): number {
    const from = Math.max(0, rest.length - this.#delimiter.length + 1);
    for (let at = rest.indexOf(0x0d, from); at >= 0; at = rest.indexOf(0x0d, at + 1)) {
      const length = rest.length - at;
      if (rest.compare(this.#delimiter, 0, length, at) === 0) return length;
    }
    return 0;
  }

  /** What is behind the head at the start of `rest`; undefined when it has not come as a whole. */
  #head(rest: Buffer): Buffer | undefined {
    if (rest.length >= 2 && rest[0] === 0x2d && rest[1] === 0x2d) {
      this.#state = { kind: 'after' };
      return NOTHING;
    }
    const end = rest.subarray(0, MAX_HEAD_BYTES).indexOf(HEAD_END);
    if (end < 0) {
      if (rest.length >= MAX_HEAD_BYTES)
        throw new BadRequestError('the form has a part without end of its head');
      this.#held = rest;
      return undefined;
    }
    const head = rest.toString('utf8', 0, end);
    if (!/^[ \t]*(\r\n|$)/.test(head))
      throw new BadRequestError('the form has its boundary in its content');
    requirePlain(head);
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw new BadRequestError('the form has too many parts');
    this.#beginPart(partName(head));
    return rest.subarray(end + HEAD_END.length);
  }

  #beginPart(name: string): void {
    const file = this.#handlers.isFile(name) ? new PartStream() : undefined;
    this.#state = { kind: 'part', part: { name, file } };
    if (file !== undefined) this.#handlers.onFile(name, file);
  }

  /** Takes content of the part in; returns what has to be read from before more may come. */
  #content(content: Buffer): PartStream | undefined {
    if (this.#state.kind !== 'part') return undefined;
    const { file } = this.#state.part;
    if (file !== undefined) return file.push(content) ? undefined : file;
    this.#fieldBytes += content.length;
    if (this.#fieldBytes > MAX_FIELD_BYTES)
      throw new BadRequestError(
        `the fields of the form are too long: over ${MAX_FIELD_BYTES} bytes`,
      );
    this.#handlers.onFieldBytes?.(content.length);
    this.#field.push(content);
    return undefined;
  }

  #endPart(): void {
    if (this.#state.kind !== 'part') return;
    const { name, file } = this.#state.part;
    if (file !== undefined) file.push(null);
    else this.#handlers.onField(name, Buffer.concat(this.#field).toString('utf8'));
    this.#field = [];
  }
}

/** A header in the head of a part; empty when it has none. One that goes on in the next line is read as a whole. */
function headerIn(head: string, name: string): string {
  const unfolded = head.replace(/\r\n(?=[ \t])/g, '');
  return new RegExp(`^${name}[ \\t]*:(.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
}

/**
 * The content of a part is taken as it is. What says that it stands for something else is refused: clients have not sent
 * such since 2015 (RFC 7578, 4.3 and 4.7), and the code would be taken for the content.
 */
function requirePlain(head: string): void {
  const shown = JSON.stringify(partName(head).slice(0, 80));
  const coding = headerIn(head, 'content-transfer-encoding');
  if (!/^(7bit|8bit|binary)?$/i.test(coding)) {
    throw new BadRequestError(
      `the form: its part ${shown} is taken as it is, and not as ${JSON.stringify(coding.slice(0, 80))}`,
      { hint: 'send the part without Content-Transfer-Encoding (curl: without encoder=)' },
    );
  }
  if (/^multipart\//i.test(headerIn(head, 'content-type'))) {
    throw new BadRequestError(`the form: its part ${shown} has parts itself`, {
      hint: 'send each file by itself, or an archive of all (curl -F name=@a,b sends such parts)',
    });
  }
}

/** The name in the head of a part; empty when it has none. */
function partName(head: string): string {
  const line = headerIn(head, 'content-disposition');
  const found = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(line);
  return found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2] ?? '';
}

/** The content of one part. */
class PartStream extends Readable {
  #wanted: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: WAITING_BYTES });
    // A form may break off before anybody reads this part, or in one that nobody wants: without a listener such an
    // error would end the process. Who reads the stream still gets it.
    this.on('error', () => {});
  }

  /** Calls back when there is room for more; not at all when the stream is destroyed. */
  whenWanted(callback: () => void): void {
    this.#wanted = callback;
  }

  override _read(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }
}
