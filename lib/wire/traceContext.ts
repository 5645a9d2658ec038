/** The trace that a request belongs to, as its sender has named it (W3C Trace Context). */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const MAX_MEMBERS = 32;
const MEMBER =
  /^([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const LONGEST_PARENT = 512;
const NAME_LENGTH = 'traceparent'.length;

/**
 * The trace context in the header lines of a request. What is malformed is as if it had not been sent; a malformed `tracestate`
 * takes nothing from a good `traceparent` (W3C Trace Context, 3.2 and 3.3).
 */
export function traceContextIn(
  headers: readonly (readonly [string, string])[],
): TraceContext | undefined {
  const valuesOf = (wanted: string) =>
    headers
      .filter(([name]) => name.length === wanted.length && name.toLowerCase() === wanted)
      .map(([, value]) => value.trim());
  if (!headers.some(([name]) => name.length === NAME_LENGTH)) return undefined;
  const [traceparent, ...others] = valuesOf('traceparent');
  if (traceparent === undefined || others.length > 0 || !isParent(traceparent)) return undefined;
  const tracestate = goodState(valuesOf('tracestate').join(','));
  return { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}

/** The environment variables by which a process learns of its trace (OpenTelemetry: environment variables as carriers). */
export function traceVariables({
  traceparent,
  tracestate,
}: TraceContext): Readonly<Record<string, string>> {
  return {
    TRACEPARENT: traceparent,
    ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }),
  };
}

function isParent(text: string): boolean {
  const [, version, trace = '', parent = '', , more] = PARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || text.length > LONGEST_PARENT) return false;
  // Later versions may have more behind what version 00 has.
  if (version === '00' && more !== undefined) return false;
  return !ZEROS.test(trace) && !ZEROS.test(parent);
}

function goodState(text: string): string | undefined {
  const members = text
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => member.split('=')[0]));
  const isGood =
    members.length > 0 &&
    members.length <= MAX_MEMBERS &&
    keys.size === members.length &&
    members.every((member) => MEMBER.test(member));
  return isGood ? members.join(',') : undefined;
}
