import { type Job, PmanClientError } from '../../client/index.ts';
import type { AppState } from './appState.ts';
import type { Draft } from './drafts.ts';
import { FieldError } from './fieldText.ts';
import { changesOf, type Field, jobOf } from './formFields.ts';
import { linkId } from './pagePlace.ts';
import { shortId } from './shown.ts';

/**
 * Sends what a form has, once however often it is asked to. Whoever has left the form meanwhile stays where he is, and is
 * told what came of it.
 * @returns whether it was accepted
 */
export async function sendDraft(
  app: AppState,
  draft: Draft,
  former: Job | undefined,
  fields: readonly Field[],
): Promise<boolean> {
  if (draft.isSending || !app.canAct) return false;
  const values = Object.fromEntries(fields.map(({ name }) => [name, draft.values[name] ?? '']));
  draft.isSending = true;
  draft.error = undefined;
  app.changed();
  try {
    const job = former === undefined ? jobOf(values) : changesOf(values, draft.before);
    const made = await app.keysInDoubt.send(app.client, { of: former?.id, job });
    // It stays as one that is being sent: a form that is not gone yet sends nothing more.
    app.drafts.drop(former, draft);
    if (draft.isShown) app.go({ view: 'job', id: linkId(made.id), tab: 'log', line: undefined });
    app.say({ kind: 'done', text: `${shortId(made.id)} is accepted.` });
    return true;
  } catch (error) {
    draft.isSending = false;
    draft.error = error;
    if (draft.isShown) app.live.noticed(error);
    else app.failed(former === undefined ? 'The new job' : `Rerun ${shortId(former.id)}`, error);
    app.changed();
    return false;
  }
}

/** The field that an error is about, where it names one. */
export function fieldOf(error: unknown): string | undefined {
  if (error instanceof FieldError) return error.field;
  if (!(error instanceof PmanClientError)) return undefined;
  return /^the body: "(\w+)/.exec(error.message)?.[1];
}
