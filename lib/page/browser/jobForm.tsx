import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Capabilities, Job, JobChanges, NewJob } from '../../client/index.ts';
import { Dialog } from './dialog.tsx';
import { Failure } from './failure.tsx';
import { FIELDS, type Field, jobOf, type Values, valuesOf } from './formFields.ts';
import { isTypedInto } from './oneLetterKeys.ts';
import { linkId } from './pagePlace.ts';
import { shortId } from './shown.ts';
import { useApp, useChanges } from './useApp.ts';

/** A job to be sent: a new one, or a former one with changes. */
export function JobForm({
  former,
  onClose,
}: {
  readonly former?: Job | undefined;
  readonly onClose?: () => void;
}) {
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
  const before = useMemo(() => valuesOf(former), [former]);
  const [values, setValues] = useState<Values>(before);
  const [offers, setOffers] = useState<Capabilities['backends']>();
  const [error, setError] = useState<unknown>();
  const [isSending, setSending] = useState(false);
  const { client } = app;
  const isLive = app.live.contact.kind === 'live';
  useEffect(() => {
    if (!isLive) return;
    client.capabilities().then(
      ({ backends }) => setOffers(backends),
      (failure: unknown) => setError(failure),
    );
  }, [client, isLive]);
  const engine = offers?.find(({ name }) => name !== 'host');
  const isImage = (values.image ?? '') !== '';
  const runner = isImage ? (engine ?? offers?.[0]) : offers?.find(({ name }) => name === 'host');
  const takes = new Set(runner?.takes ?? ['command', 'jid', 'auid', 'timeout', 'labels']);
  const hasImages = offers?.some(({ runs }) => runs.includes('image')) ?? false;
  const fits = ({ name }: Field) => takes.has(name) || (name === 'image' && hasImages);
  const set = (name: string, value: string) => setValues({ ...values, [name]: value });
  const send = async () => {
    setSending(true);
    setError(undefined);
    try {
      const made = await sent();
      app.go({ view: 'job', id: linkId(made.id), tab: 'log', line: undefined });
      app.say({ kind: 'done', text: `${shortId(made.id)} is accepted.` });
      onClose?.();
    } catch (failure) {
      app.live.noticed(failure);
      setError(failure);
    } finally {
      setSending(false);
    }
  };
  const sent = (): Promise<Job> => {
    const offered = Object.fromEntries(
      FIELDS.filter(fits).map(({ name }) => [name, values[name] ?? '']),
    );
    if (former === undefined) return client.run(jobOf(offered) as NewJob);
    const changed = Object.entries(offered).filter(
      ([name, value]) => value !== (before[name] ?? ''),
    );
    return client.rerun(former, jobOf(Object.fromEntries(changed)) as JobChanges);
  };
  const [first, ...others] = FIELDS.filter(fits);
  return (
    <form
      class="job"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
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
      {first !== undefined && <FieldRow field={first} values={values} set={set} />}
      <p class="quiet">
        {runner === undefined ? '…' : `${runner.name} runs it${isImage ? ', in a container' : ''}.`}
        {former !== undefined &&
          ' What you leave as it is stays as it was, also what is not shown here.'}
      </p>
      <div class="grid">
        {others.map((field) => (
          <FieldRow key={field.name} field={field} values={values} set={set} />
        ))}
      </div>
      {error !== undefined && <Failure error={error} />}
      <p class="answers">
        {onClose !== undefined && (
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        )}
        <button type="submit" class="deed" disabled={isSending || !app.canAct} title={app.off}>
          {former === undefined ? 'Run' : 'Rerun'}
        </button>
      </p>
    </form>
  );
}

interface FieldRowProps {
  readonly field: Field;
  readonly values: Values;
  readonly set: (name: string, value: string) => void;
}

function FieldRow({ field: { name, label, help, kind }, values, set }: FieldRowProps) {
  const id = `field-${name}`;
  const value = values[name] ?? '';
  const common = { id, name, 'aria-describedby': `${id}-help` };
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
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}
