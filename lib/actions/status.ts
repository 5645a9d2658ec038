import { type Soon, whenThere } from '../concurrency/soon.ts';
import type { EnvelopeDialect, Standing } from '../dialects/envelope/dialect.ts';
import { NO_PROGRESS, progressAnswer } from '../dialects/envelope/progressAnswer.ts';
import type { TreeNode } from '../tree/node.ts';
import type { JsonObject, JsonValue } from '../wire/json.ts';
import { keepText } from '../wire/keptText.ts';
import type { ActionResult } from '../wire/reply.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction, type Services } from './action.ts';
import { standing } from './done.ts';
import { answerHits, type Hit, noSuchJob } from './hits.ts';
import { membersLength } from './members.ts';

/** What is told of a job. */
interface Told extends Standing {
  readonly progress: readonly (readonly [string, JsonValue])[];
  /** The answer about this job alone, where it is kept. */
  readonly alone?: Answer;
}

type Answer = Pick<ActionResult, 'status'> & { readonly result: JsonObject };

/** `status`: what `done` says, and the state of each job in a word (protocol a.7, c, g). */
export const status = defineAction({
  schema: searchMeta,
  handle(meta, { services, pace }) {
    const told = answerHits(
      { services, pace },
      meta,
      (hit, i) =>
        i === 0 ? tellFirst(services, hit) : tell(services, hit, standing(services, hit), i),
      ({ progress, combined = '' }) => membersLength(progress) + combined.length,
    );
    return whenThere(told, ({ answers, page }): ActionResult => {
      const [first] = answers;
      if (first === undefined) {
        const error = noSuchJob(meta);
        return { ...answerOf(services.dialect, answers), error, ...(page && { page }) };
      }
      const alone = answers.length === 1 ? first.alone : undefined;
      const { status: word, result } = alone ?? answerOf(services.dialect, answers);
      return page === undefined ? { status: word, result } : { status: word, result, page };
    });
  },
});

interface Kept {
  /** Of the record, when this was made. */
  readonly changes: number;
  readonly dialect: EnvelopeDialect;
  readonly told: Told;
}

/** What is told of a job, as long as its record is in memory and has not changed: clients ask on until it has ended. */
const kept = new WeakMap<TreeNode, Kept>();

function tellFirst(services: Services, hit: Hit): Soon<Told> {
  const { dialect } = services;
  const { changes } = hit.record;
  const before = kept.get(hit.record);
  if (before?.changes === changes && before.dialect === dialect) return before.told;
  const stands = standing(services, hit);
  const told = tell(services, hit, stands, 0);
  // What an engine knows of a job, and its place while it waits, are not in its record.
  const { started, isDone } = stands.progress;
  if (told instanceof Promise || stands.place !== undefined || (started.length === 0 && !isDone)) {
    return told;
  }
  const alone = answerOf(dialect, [told]);
  keepText(alone.result);
  kept.set(hit.record, { changes, dialect, told: { ...told, alone } });
  return told;
}

function tell(
  { jobs }: Pick<Services, 'jobs'>,
  { root, record }: Hit,
  stands: ReturnType<typeof standing>,
  i: number,
): Soon<Told> {
  // The container nodes are shown as they were before the question (protocol g).
  const progress = progressAnswer(stands, i);
  // Not the whole report: that holds the record.
  return whenThere(
    jobs.report(root, record),
    ({ status: word, combined, note, outputs, shown }) => ({
      ...{ progress, status: word, combined, note, outputs, shown },
    }),
  );
}

function answerOf(dialect: EnvelopeDialect, told: readonly Told[]): Answer {
  const progress = told.length > 0 ? told.flatMap((each) => each.progress) : NO_PROGRESS;
  const { status: word, members } = dialect.status(told);
  return { status: word, result: Object.fromEntries<JsonValue>([...progress, ...members]) };
}
