import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import { type Capabilities, type Job, PmanClientError } from '../../client/index.ts';
import { Dialog } from './dialog.tsx';
import { type Draft, isInDoubt } from './drafts.ts';
import { Failure } from './failure.tsx';
import { FIELDS, type Field, type Values } from './formFields.ts';
import { isTypedInto } from './oneLetterKeys.ts';
import { fieldOf, sendDraft } from './sendDraft.ts';
import { shortId } from './shown.ts';
import { useApp, useChanges } from './useApp.ts';

export interface JobFormProps {
  /** The job that is sent again, with changes. */
  readonly former?: Job | undefined;
  readonly onClose?: () => void;
}

/** A job to be sent: a new one, or a former one with changes. */
export function JobForm({ former, onClose }: JobFormProps) {
  const title =
    former === undefined ? 'New job' : `Rerun ${shortId(former.id)} ${former.jid ?? ''}`;
  const form = <Fields former={former} onClose={onClose} />;
  const panel = useRef<HTMLElement>(null);
  // What one types is the command, at once; in a dialog the browser sees to that.
  useLayoutEffect(() => panel.current?.querySelector('textarea')?.focus(), []);
  if (onClose !== undefined) {
    return (
      <Dialog title={title} onClose={onClose}>
        {form}
      </Dialog>
    );
  }
  return (
    <section class="panel alone" aria-label={title} ref={panel}>
      <h2>{title}</h2>
      {form}
    </section>
  );
}

function Fields({
  former,
  onClose,
}: {
  readonly former: Job | undefined;
  readonly onClose: (() => void) | undefined;
}) {
  const app = useApp();
  useChanges(app);
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => app.drafts.of(former));
  const { values, error, isSending } = draft;
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0);
  const { runner, isImage, fits, failure } = useOffers(draft);
  useShown(draft, former);
  const fields = FIELDS.filter(fits);
  const bad = fields.find(({ name }) => name === fieldOf(error))?.name;
  const set = (name: string, value: string) => {
    draft.values = { ...draft.values, [name]: value };
    if (name === bad) draft.error = undefined;
    draw(undefined);
  };
  const giveUp = () => {
    app.keysInDoubt.forget(former?.id);
    app.drafts.drop(former, draft);
  };
  // Before the browser has drawn: what is wrong is in view at once, also on a phone.
  useLayoutEffect(() => {
    if (error === undefined) return;
    form.current?.querySelector('.failure')?.scrollIntoView({ block: 'nearest' });
    if (bad !== undefined) form.current?.querySelector<HTMLElement>(`#field-${bad}`)?.focus();
  }, [error, bad]);
  const [first, ...others] = fields.map((field) => (
    <FieldRow
      key={field.name}
      field={field}
      values={values}
      set={set}
      error={field.name === bad ? error : undefined}
    />
  ));
  const verb = former === undefined ? 'Run' : 'Rerun';
  return (
    <form
      class="job"
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void sendDraft(app, draft, former, fields).then((isDone) => isDone && onClose?.());
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
          event.currentTarget.requestSubmit();
        // It leaves the field, and the next one leaves the form.
        if (event.key !== 'Escape' || onClose !== undefined || !isTypedInto(event.target)) return;
        event.preventDefault();
        if (event.target instanceof HTMLElement) event.target.blur();
      }}
    >
      {first}
      <p class="quiet">
        {runner === undefined ? '…' : `${runner.name} runs it${isImage ? ', in a container' : ''}.`}
        {former !== undefined &&
          ' What you leave as it is stays as it was, also what is not shown here.'}
      </p>
      <div class="grid">{others}</div>
      {failure !== undefined && <Failure error={failure} />}
      {error !== undefined && bad === undefined && <Failure error={error} />}
      {isInDoubt(error) && (
        <p>{verb} it again: as long as you change nothing, no second job is made.</p>
      )}
      <p class="answers">
        {draft.isChanged && !isSending && (
          <button
            type="button"
            onClick={() => {
              giveUp();
              setDraft(app.drafts.of(former));
            }}
          >
            Start over
          </button>
        )}
        {onClose !== undefined && (
          <button
            type="button"
            onClick={() => {
              if (!isSending) giveUp();
              onClose();
            }}
          >
            Cancel
          </button>
        )}
        <button type="submit" class="deed" disabled={isSending || !app.canAct} title={app.off}>
          {verb}
        </button>
      </p>
    </form>
  );
}

/** What would run the job, and which fields it takes. */
function useOffers({ values, before }: Draft) {
  const app = useApp();
  const [offers, setOffers] = useState<Capabilities['backends']>();
  const [failure, setFailure] = useState<unknown>();
  const { client, canAct } = app;
  useEffect(() => {
    if (!canAct) return;
    client.capabilities().then(({ backends }) => {
      setOffers(backends);
      setFailure(undefined);
    }, setFailure);
  }, [client, canAct]);
  const engine = offers?.find(({ name }) => name !== 'host');
  const isImage = (values.image ?? '') !== '';
  const runner = isImage ? (engine ?? offers?.[0]) : offers?.find(({ name }) => name === 'host');
  const takes = new Set(runner?.takes ?? ['command', 'jid', 'auid', 'timeout', 'labels']);
  const hasImages = offers?.some(({ runs }) => runs.includes('image')) ?? false;
  const fits = ({ name }: Field) =>
    takes.has(name) ||
    (name === 'image' && hasImages) ||
    // Somebody has typed it when it was offered.
    (offers === undefined && values[name] !== before[name]);
  return { runner, isImage, fits, failure };
}

/** Tells a draft whether its form is there, and forgets one in which nothing was typed. */
function useShown(draft: Draft, former: Job | undefined): void {
  const app = useApp();
  useLayoutEffect(() => {
    draft.isShown = true;
    draft.wasTaken = false;
    // There is another token now.
    if (draft.error instanceof PmanClientError && draft.error.status === 401)
      draft.error = undefined;
    return () => {
      draft.isShown = false;
      draft.wasTaken = app.live.contact.kind === 'token';
      if (!draft.isChanged && !draft.isSending) app.drafts.drop(former, draft);
    };
  }, [app, draft]);
}

interface FieldRowProps {
  readonly field: Field;
  readonly values: Values;
  readonly set: (name: string, value: string) => void;
  /** What the server, or the page, has against it. */
  readonly error: unknown;
}

function FieldRow({ field: { name, label, help, kind }, values, set, error }: FieldRowProps) {
  const id = `field-${name}`;
  const value = values[name] ?? '';
  const isBad = error !== undefined;
  const describedBy = `${isBad ? `${id}-error ` : ''}${id}-help`;
  const common = { id, name, 'aria-describedby': describedBy, 'aria-invalid': isBad };
  return (
    <div class={`field ${kind}`}>
      <label for={id}>{label}</label>
      {kind === 'lines' || kind === 'pairs' || kind === 'list' ? (
        <textarea
          {...common}
          rows={name === 'command' ? 3 : 2}
          required={name === 'command'}
          value={value}
          onInput={({ currentTarget }) => set(name, currentTarget.value)}
        />
      ) : kind === 'switch' ? (
        <input
          {...common}
          type="checkbox"
          checked={value === 'yes'}
          onChange={({ currentTarget }) => set(name, currentTarget.checked ? 'yes' : 'no')}
        />
      ) : (
        <input
          {...common}
          type={kind === 'number' ? 'number' : 'text'}
          {...(kind === 'number' && { step: 'any' })}
          value={value}
          onInput={({ currentTarget }) => set(name, currentTarget.value)}
        />
      )}
      {isBad && <Failure error={error} id={`${id}-error`} />}
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}
