import { Random } from '../../crash/random.ts';
import { mutateBytes } from './mutateBytes.ts';
import { mutateJson } from './mutateJson.ts';
import { asksForEnd, nastyText } from './nasty.ts';
import type { Places, SeedRequest } from './seedRequest.ts';

/** A request as a fuzz run sends it. */
export interface Mutant {
  readonly index: number;
  /** The valid request it was made of. */
  readonly from: string;
  readonly bytes: Buffer;
  /** Sizes of the pieces in which it is sent; the rest follows. */
  readonly cuts: readonly number[];
  /** Its head is well formed and its body as long as the head says: it has to be answered. */
  readonly isWhole: boolean;
}

/** The request of a run with that number: the same for the same seed. */
export function mutantOf(
  seeds: readonly SeedRequest[],
  { seed, index, places }: { seed: number; index: number; places: Places },
): Mutant {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  random.next();
  for (;;) {
    const from = random.weighted(seeds.map((one) => [weightOf(one), one] as const));
    const made = make(from, random, places);
    if (asksForEnd(made.bytes)) continue;
    const cuts = random.next() < 0.1 ? [random.between(1, 200), random.between(1, 50)] : [];
    return { index, from: from.name, cuts, ...made };
  }
}

/** What starts processes or writes much is rarer. */
function weightOf({ name }: SeedRequest): number {
  if (/^(?:run|dbctl|put|hello-sysinfo)/.test(name)) return 0.1;
  return /^push/.test(name) ? 0.2 : 1;
}

interface Draft {
  method: string;
  target: string;
  version: string;
  headers: string[];
  body: Buffer;
  lineEnd: string;
  /** The head says how long the body is, and no header was tampered with. */
  isHonest: boolean;
}

function make(from: SeedRequest, random: Random, places: Places) {
  const draft: Draft = {
    ...{
      method: from.method,
      target: from.target,
      version: 'HTTP/1.1',
      headers: [...from.headers],
    },
    ...{ body: from.body, lineEnd: '\r\n', isHonest: true },
  };
  const count = random.weighted([
    [1, 0],
    [10, 1],
    [4, 2],
    [1, 4],
  ] as const);
  for (let i = 0; i < count; i += 1) mutate(draft, random, places);
  const whole = framed(draft, random);
  if (random.next() > 0.08) return { bytes: whole, isWhole: draft.isHonest };
  return { bytes: mutateBytes(whole, random), isWhole: false };
}

function mutate(draft: Draft, random: Random, places: Places): void {
  random.weighted<() => void>([
    [10, () => changeContent(draft, random, places)],
    [2, () => changeTarget(draft, random, places)],
    [1, () => changeMethod(draft, random)],
    [3, () => changeHeader(draft, random)],
    [2, () => changeFraming(draft, random)],
  ])();
}

/** The JSON of a body, of a form's message or of a query. */
function changeContent(draft: Draft, random: Random, places: Places): void {
  if (random.next() < 0.2) {
    draft.body = mutateBytes(draft.body, random);
    return;
  }
  const query = /^(.*[?&]meta=)([^&]*)(.*)$/s.exec(draft.target);
  if (query !== null) {
    const [, before = '', meta = '', after = ''] = query;
    const literal = decodeURIComponent(meta.replaceAll('+', ' '));
    const changed = mutateJson(literal.replaceAll("'", '"'), random, places);
    if (changed !== undefined) draft.target = `${before}${encode(changed)}${after}`;
    return;
  }
  const text = draft.body.toString('utf8');
  const inForm = /(name="d_msg"\r\n\r\n)(.*?)(\r\n--)/s.exec(draft.body.toString('latin1'));
  if (inForm === null) {
    const changed = mutateJson(text, random, places);
    draft.body = changed === undefined ? mutateBytes(draft.body, random) : Buffer.from(changed);
    return;
  }
  changeForm(draft, inForm, random, places);
}

function changeForm(draft: Draft, found: RegExpExecArray, random: Random, places: Places): void {
  const [all, before = '', message = '', after = ''] = found;
  const form = draft.body.toString('latin1');
  const parts = form.split('--BOUND');
  const swapped = (from: number, to: number) => {
    const list = [...parts];
    [list[from], list[to]] = [list[to] ?? '', list[from] ?? ''];
    return list.join('--BOUND');
  };
  const some = () => random.between(1, Math.max(1, parts.length - 2));
  const changed = random.weighted<() => string>([
    [
      6,
      () =>
        form.replace(all, () => before + (mutateJson(message, random, places) ?? message) + after),
    ],
    [1, () => swapped(some(), some())],
    [1, () => [...parts.slice(0, 2), ...parts.slice(1)].join('--BOUND')],
    [
      1,
      () =>
        form.replace(
          /filename="x"/,
          () => `filename=${JSON.stringify(nastyText(random, 'filename', places))}`,
        ),
    ],
    [
      1,
      () =>
        form.replace(
          /name="encoding"\r\n\r\n\w+/,
          () => `name="encoding"\r\n\r\n${random.pick(['base64', 'none', 'gzip', '', '\0']) ?? ''}`,
        ),
    ],
    [1, () => form.replace(/--BOUND--\r\n$/, '')],
    [
      1,
      () =>
        form.replace(/(Content-Disposition: form-data)/, (text) =>
          text.repeat(random.between(2, 300)),
        ),
    ],
  ])();
  draft.body = Buffer.from(changed, 'latin1');
}

/** Lone surrogates have no percent form. */
const encode = (text: string) => encodeURIComponent(Buffer.from(text).toString());

function changeTarget(draft: Draft, random: Random, places: Places): void {
  const nasty = () => nastyText(random, 'target', places);
  const { target } = draft;
  draft.target = random.weighted<() => string>([
    [3, () => `/api/v1/${encode(nasty())}`],
    [2, () => `/api/v1/${nasty().replace(/[\0-\x20\x7f-\uffff]/g, '_')}`],
    [2, () => `${target}${target.includes('?') ? '&' : '?'}${encode(nasty())}=${encode(nasty())}`],
    [1, () => `http://localhost${target}`],
    [
      1,
      () =>
        random.pick([
          '*',
          '//',
          '/%',
          '/%zz',
          '/?&&==',
          '/api/v1?limit=-1',
          '/api/v1?limit=1e9&sort=zz',
        ]) ?? '/',
    ],
    [1, () => target + '%00'.repeat(random.between(1, 50))],
    [1, () => `/${'a/'.repeat(random.between(1, 4000))}`],
  ])();
}

function changeMethod(draft: Draft, random: Random): void {
  const methods = [
    'GET',
    'POST',
    'PUT',
    'HEAD',
    'OPTIONS',
    'DELETE',
    'PATCH',
    'TRACE',
    'CONNECT',
    'FROB',
    'get',
  ];
  draft.method = random.pick(methods) ?? 'GET';
  draft.isHonest = false;
}

function changeHeader(draft: Draft, random: Random): void {
  const { headers } = draft;
  const at = random.between(0, headers.length);
  const text = String.fromCharCode(random.between(1, 255)).repeat(random.between(1, 300));
  const extra =
    random.pick([
      ...[
        'Origin: http://evil.example',
        'Origin: null',
        'Sec-Fetch-Site: cross-site',
        'Host: evil.example',
      ],
      ...[
        'Expect: 100-continue',
        'Expect: x',
        'Connection: close',
        'Connection: upgrade',
        'Upgrade: h2c',
      ],
      ...[
        'Range: bytes=0-1',
        'Range: bytes=9-1,-5',
        'Mode: control',
        'Mode: file',
        'Authorization: Bearer x',
      ],
      ...[
        'Content-Type: multipart/form-data',
        'Content-Type: multipart/form-data; boundary=',
        'Cookie: a',
      ],
      ...[
        'Content-Type: multipart/form-data; boundary="a b"',
        'Content-Encoding: gzip',
        'Accept-Encoding: gzip',
      ],
      ...[
        `X: ${text}`,
        `X-${text}: y`,
        `X: ${'a'.repeat(20_000)}`,
        'Pfioh-Offset: -1',
        'If-None-Match: *',
      ],
    ]) ?? '';
  random.weighted<() => void>([
    [4, () => headers.splice(at, 0, extra)],
    [1, () => headers.splice(at, 1)],
    [1, () => headers.push(...headers)],
    [
      1,
      () => headers.push(...Array.from({ length: random.between(10, 1500) }, (_, i) => `H${i}: x`)),
    ],
  ])();
  draft.isHonest = false;
}

function changeFraming(draft: Draft, random: Random): void {
  random.weighted<() => void>([
    [
      2,
      () => {
        draft.version = random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.1 ', '']) ?? '';
      },
    ],
    [
      1,
      () => {
        draft.lineEnd = random.pick(['\n', '\r', '\r\r\n']) ?? '';
      },
    ],
    [4, () => draft.headers.push('Content-Length: lie')],
    [4, () => draft.headers.push('Transfer-Encoding: chunked')],
  ])();
  draft.isHonest = false;
}

function framed(
  { method, target, version, headers, body, lineEnd }: Draft,
  random: Random,
): Buffer {
  const lines = headers.map((line) =>
    line === 'Content-Length: lie' ? lengthLie(body.length, random) : line,
  );
  const isChunked = headers.includes('Transfer-Encoding: chunked');
  if (
    !headers.includes('Content-Length: lie') &&
    !isChunked &&
    (body.length > 0 || method === 'POST')
  ) {
    lines.push(`Content-Length: ${body.length}`);
  }
  const head = [`${method} ${target} ${version}`, ...lines, '', ''].join(lineEnd);
  return Buffer.concat([Buffer.from(head, 'latin1'), isChunked ? chunks(body, random) : body]);
}

function lengthLie(length: number, random: Random): string {
  const lies = [
    ...[
      length + 1,
      length - 1,
      length + 100,
      -1,
      0,
      `${length}, ${length}`,
      `+${length}`,
      `${length}x`,
    ],
    ...['9'.repeat(30), 4_294_967_296, `0x${length.toString(16)}`, ''],
  ];
  return `Content-Length: ${random.pick(lies) ?? ''}`;
}

function chunks(body: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const chunk = body.subarray(at, at + random.between(1, 500));
    at += chunk.length;
    const size = random.next() < 0.9 ? chunk.length : chunk.length + random.between(-2, 2);
    const extension = random.next() < 0.9 ? '' : `;${'e'.repeat(random.between(0, 30_000))}`;
    const said =
      random.next() < 0.97
        ? size.toString(16)
        : (random.pick(['-1', '', 'zz', 'f'.repeat(20), '0x5']) ?? '');
    parts.push(Buffer.from(`${said}${extension}\r\n`), chunk, Buffer.from('\r\n'));
  }
  const end = random.pick([
    '0\r\n\r\n',
    '0\r\n\r\n',
    '0\r\n\r\n',
    '0\r\nA: b\r\n\r\n',
    '0\r\n',
    '',
    '00\r\n\r\n0\r\n\r\n',
  ]);
  return Buffer.concat([...parts, Buffer.from(end ?? '')]);
}
