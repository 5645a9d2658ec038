import type { Answer } from '../helpers/http.ts';
import { compare, compareOrder, type Difference } from './compare.ts';
import { deviations } from './differences.ts';
import type { ServerCase } from './recording.ts';
import { nameIn, type Played } from './session.ts';

/** What the replay of one case comes to. */
export interface Verdict {
  /** Ids of the rows of docs/differences.md that were needed. */
  readonly rows: readonly string[];
  /** Points of difference that no row allows. */
  readonly unexplained: readonly Difference[];
}

/** Holds an answer against its recording. */
export function judge(played: Played): Verdict {
  const rows = new Set<string>();
  const unexplained: Difference[] = [];
  for (const difference of differencesOf(played)) {
    const row = deviations.find(({ allows }) => allows(difference, played));
    if (row) rows.add(row.id);
    else unexplained.push(difference);
  }
  return { rows: [...rows], unexplained };
}

function differencesOf(played: Played): Difference[] {
  const { recorded, answer, connection, effect } = played;
  const found = [
    ...compare(onlyKeysOf(recorded.effect, effect), effect, 'effect'),
    ...compareContainers(played),
    ...compareChanges(played),
  ];
  const { response } = recorded;
  if (response === null) return found;
  if (!answer) return [{ at: 'answer', recorded: response.statusLine, actual: undefined }];
  const body = bodyOf(answer);
  const expected = withRealLengths(played, response.body);
  return [
    ...found,
    ...compare(response.statusLine, answer.statusLine, 'statusLine'),
    ...compareHeaders(response.headers, answer),
    ...compare(recorded.connection, connection, 'connection'),
    ...compare(expected, body, 'body'),
    ...compareOrder(expected, body, 'body'),
    ...wireForm(answer),
  ];
}

/** What looks around in the engine is of no concern, only what it was asked to run. */
function compareContainers({ recorded, containers }: Played): Difference[] {
  if (containers === undefined) return [];
  const expected = (recorded.dockerApi ?? []).flatMap(({ path, body }) =>
    path === '/containers/create' && body
      ? [{ Image: body.Image, Cmd: body.Cmd, Binds: body.HostConfig.Binds }]
      : [],
  );
  return compare(expected, containers, 'containers');
}

/** What was recorded has to be in what is asked for; what pman sets besides is of no concern. */
function compareChanges({ recorded, changes }: Played): Difference[] {
  if (changes === undefined) return [];
  const wanted = (recorded.kubeApi ?? []).filter(({ method }) => method !== 'GET');
  return wanted.flatMap((change) => {
    const at = `cluster ${change.method} ${change.path.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
    const asked = changes.find(
      ({ method, path, body }) =>
        method === change.method && path === change.path && nameIn(body) === nameIn(change.body),
    );
    if (asked === undefined) return [{ at, recorded: change.body ?? {}, actual: undefined }];
    return compare(change.body, asked.body ?? {}, at).filter((one) => one.recorded !== undefined);
  });
}

/** The body as JSON, else as text. */
export function bodyOf(answer: Answer): unknown {
  try {
    return answer.json();
  } catch {
    return answer.text;
  }
}

function onlyKeysOf(recorded: ServerCase['effect'] = {}, seen: object): object {
  return Object.fromEntries(
    Object.entries(recorded)
      .filter(([key]) => Object.hasOwn(seen, key))
      .map(([key, value]) => [key, Array.isArray(value) ? [...value].sort() : value]),
  );
}

/** Content-Length was checked when the answer was read. */
function compareHeaders(
  recorded: ReadonlyArray<readonly [string, string]>,
  answer: Answer,
): Difference[] {
  const names = new Set(recorded.map(([name]) => name.toLowerCase()));
  for (const [name] of answer.headers) names.add(name.toLowerCase());
  names.delete('content-length');
  return [...names].flatMap((name) => {
    const wanted = recorded.find(([key]) => key.toLowerCase() === name)?.[1];
    const actual = answer.header(name);
    return wanted === actual ? [] : [{ at: `header ${name}`, recorded: wanted, actual }];
  });
}

/** The recorder's scratch paths had other lengths: what counts such a body is counted again. */
function withRealLengths({ asRecorded, recorded }: Played, body: unknown): unknown {
  const sent = recorded.request.body;
  if (typeof sent !== 'string' || sent === asRecorded.request.body) return body;
  if (typeof body !== 'object' || body === null) return body;
  const copy: Record<string, unknown> = { ...body };
  if ('client_json_len' in copy) copy.client_json_len = [...sent].length;
  if ('payloadsize' in copy) copy.payloadsize = [...sent].length;
  if (Array.isArray(copy.receivedByServer)) {
    copy.receivedByServer = copy.receivedByServer.map((line: unknown) =>
      typeof line === 'string' && /^Content-Length: \d+\r$/.test(line)
        ? `Content-Length: ${Buffer.byteLength(sent)}\r`
        : line,
    );
  }
  return copy;
}

/** JSON as the original writes it: indented by four blanks, ASCII, no newline at the end. */
function wireForm(answer: Answer): Difference[] {
  if (answer.text === '') return [];
  const faults: Difference[] = [];
  const say = (what: string) =>
    faults.push({ at: 'form of the body', recorded: what, actual: answer.text.slice(0, 40) });
  if (!answer.text.startsWith('{\n    "status": ')) say('indented by four blanks');
  if (/[^\t\n\x20-\x7e]/.test(answer.text)) say('ASCII only');
  if (answer.text.endsWith('\n')) say('no newline at the end');
  return faults;
}
